"""What the specs mean and what the account holds; knows no Pulumi."""
