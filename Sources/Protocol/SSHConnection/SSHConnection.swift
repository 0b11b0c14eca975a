// SSHConnection
