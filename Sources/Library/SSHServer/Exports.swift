// Keys, streams and errors, which both products have: whoever imports this one need not know where they are.
@_exported public import SSHBase
