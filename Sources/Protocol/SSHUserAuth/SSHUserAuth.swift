// SSHUserAuth
