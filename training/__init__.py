"""Makes people: base model, personas, clusters, data sets, adapters."""
