"""The words of Headgate as plain frozen values. Nothing here knows Spark, paths or storage."""
