"""The viewer: a store's runs in the browser, served or as a static site. Needs the extra `view`."""
