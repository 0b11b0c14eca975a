// SSHCiphers
