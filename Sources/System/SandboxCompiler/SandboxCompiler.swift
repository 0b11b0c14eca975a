// SandboxCompiler
