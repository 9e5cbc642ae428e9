"""Access methods that the sources share: ISB and INAPROC over HTTP, folders of files. Sources stand on top."""
