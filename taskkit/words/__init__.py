"""The words for times, outcomes and foreign text, shared by the library, the command and the dashboard."""
