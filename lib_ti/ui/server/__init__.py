"""The tab as a web page of its own, and the images that pages load by address."""
