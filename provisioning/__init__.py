"""What a field technician and the deployment's authority run: keys, certificates, first settings."""
