"""IAM service-specific credentials as code: specs, accounts, plans, reports and the command line."""
