"""The value of a policy from slates that another policy showed."""
