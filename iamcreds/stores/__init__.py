"""The secret stores: Secrets Manager and Parameter Store behind one Protocol."""
