"""The embedded IAM: moto's server plus service-specific credentials, with switches that make it slow or broken."""
