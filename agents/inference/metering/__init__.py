"""What asking costs: meters, the machine's peaks, and ``info["engine"]``."""
