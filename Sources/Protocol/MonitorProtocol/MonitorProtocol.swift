// MonitorProtocol
