// PolicySource
