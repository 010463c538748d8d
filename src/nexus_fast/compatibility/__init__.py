"""Programs written for other engines, run as they stand."""
