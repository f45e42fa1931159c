"""Groups of people: Ms as vectors, and the clusters they form."""
