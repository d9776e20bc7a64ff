"""The IAM emulator: moto's server with service-specific credentials, and with controls that inject faults."""
