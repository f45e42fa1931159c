"""What asking costs: counters, meters, the machine's peaks, and ``info["engine"]``."""
