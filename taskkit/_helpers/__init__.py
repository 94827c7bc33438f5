"""Small helpers of the library. Private: users do not import them."""
