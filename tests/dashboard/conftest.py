"""A quicker wait for an idle dashboard, in each test that drives one."""

from __future__ import annotations

import idle

idle.use()
