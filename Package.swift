// swift-tools-version: 6.2
// The arrows of ARCHITECTURE.md, which a test compares with this file. The build enforces them: see the Makefile's flags.
import PackageDescription

let strict: [SwiftSetting] = [.strictMemorySafety(), .treatAllWarnings(as: .error), .enableUpcomingFeature("MemberImportVisibility")]

/// What runs per connection is static-pie: it starts in 0.9 ms and keeps address randomisation (FACTS §1).
let staticPie: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-static-executable", "-use-ld=lld", "-Xclang-linker", "-static-pie",
            "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs", "-Xlinker", "-z", "-Xlinker", "relro",
            "-Xlinker", "-z", "-Xlinker", "now", "-Xlinker", "-s",
        ], .when(configuration: .release))
]
/// The administrator's program links Foundation; it carries the Swift runtime, so that it runs where no Swift is installed.
let staticRuntime: [LinkerSetting] = [
    .unsafeFlags(
        ["-static-stdlib", "-use-ld=lld", "-lCoreFoundation", "-lFoundationInternationalization", "-l_FoundationICU", "-l_FoundationCollections", "-l_FoundationCShims", "-lswiftSynchronization", "-lstdc++", "-Xlinker", "-s"],
        .when(configuration: .release))
]

/// Without libc: each command starts one of these.
let bare: ([CSetting], [LinkerSetting]) = (
    [.treatAllWarnings(as: .error), .unsafeFlags(["-Os", "-ffreestanding", "-fno-stack-protector", "-fno-asynchronous-unwind-tables"])],
    [
        .unsafeFlags(
            [
                "-static-stdlib", "-use-ld=lld", "-Xclang-linker", "-nostdlib", "-Xclang-linker", "-nostartfiles", "-Xclang-linker", "-static-pie",
                "-Xclang-linker", "-Wno-unused-command-line-argument",
                // Two segments instead of four: each is paid for at every start.
                "-Xlinker", "--no-rosegment", "-Xlinker", "-z", "-Xlinker", "norelro", "-Xlinker", "-s",
            ])
    ]
)

/// A module of the trust level `level`, which is the folder it stands in.
func module(_ level: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(level)/\(name)", swiftSettings: strict)
}

func example(_ name: String, _ folder: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: "Examples/\(folder)")
}

func nio(_ product: String) -> Target.Dependency { .product(name: product, package: "swift-nio") }
let log = Target.Dependency.product(name: "Logging", package: "swift-log")

func program(_ name: String, _ dependencies: [Target.Dependency], _ linking: [LinkerSetting]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: "Sources/Processes/\(name)", swiftSettings: strict, linkerSettings: linking)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(name)", resources: resources,
        swiftSettings: [.treatAllWarnings(as: .error)])
}

let package = Package(
    name: "postern",
    products: [
        // What other packages import; none of their targets has an unsafe flag, or nobody could depend on them by version.
        .library(name: "SSHClient", targets: ["SSHClient"]),
        .library(name: "SSHServer", targets: ["SSHServer"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // Protocol: pure.
        module("Protocol", "SSHWire"),
        module("Protocol", "SSHKeys", ["SSHWire", "Sodium"]),
        module("Protocol", "SSHCiphers", ["SSHKeys", "Sodium", "Gcrypt"]),
        module("Protocol", "SSHTransport", ["SSHWire", "SSHKeys", "SSHCiphers", "Sodium"]),
        module("Protocol", "SSHUserAuth", ["SSHWire"]),
        module("Protocol", "SSHConnection", ["SSHWire", "SSHUserAuth"]),
        module("Protocol", "SSH", ["SSHWire", "SSHTransport", "SSHUserAuth", "SSHConnection", "Sodium"]),
        module("Protocol", "MonitorProtocol", ["SSHWire"]),
        module("Protocol", "Files"),
        module("Protocol", "SFTP", ["Files", "SSHWire"]),
        module("Protocol", "SCP", ["Files"]),

        // Policy: pure; only `postern` links PolicySource.
        module("Policy", "Policy"),
        module("Policy", "Arrivals", ["Policy"]),
        module("Policy", "PolicySource", ["Policy", "TOMLKit"]),

        // System: the only C, system calls and `unsafe`.
        .target(name: "CLinux", path: "Sources/System/CLinux", cSettings: [.treatAllWarnings(as: .error)]),
        .systemLibrary(
            name: "CSodium", path: "Sources/System/CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(
            name: "CGcrypt", path: "Sources/System/CGcrypt", pkgConfig: "libgcrypt", providers: [.apt(["libgcrypt20-dev"])]),
        .systemLibrary(
            name: "CSeccomp", path: "Sources/System/CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        module("System", "Linux", ["CLinux"]),
        module("System", "Sodium", ["CSodium"]),
        module("System", "Gcrypt", ["CGcrypt"]),
        module("System", "Sandbox", ["CLinux", "Linux", "Policy"]),
        module("System", "SandboxCompiler", ["CSeccomp", "Linux", "Policy", "Sandbox"]),

        // Library: what other Swift programs import; the gateway links none of it.
        module("Library", "SSHBase", ["SSHKeys", "Sodium", "Linux"]),
        module(
            "Library", "SSHNIO", ["SSHBase", "SSH", "SSHConnection", "SSHTransport", "SSHWire", "Linux", nio("NIOCore"), nio("NIOPosix")]),
        module(
            "Library", "SSHClient",
            ["SSHBase", "SSHNIO", "SSH", "SSHConnection", "SSHTransport", "SSHCiphers", "SSHKeys", "SSHWire", "SFTP", "Sodium", "Gcrypt", "Linux", log]),
        module(
            "Library", "SSHServer",
            [
                "SSHBase", "SSHNIO", "SSH", "SSHConnection", "SSHTransport", "SSHUserAuth", "SSHCiphers", "SSHKeys", "SSHWire", "Sodium", "Linux", log,
            ]),

        // Processes: one folder is one executable.
        program("posternd", ["Linux", "Sandbox", "Sodium", "Policy", "Arrivals", "SSHWire", "SSHKeys", "MonitorProtocol"], staticPie),
        program(
            "postern-frontend",
            [
                "Linux", "Sandbox", "Sodium", "Gcrypt", "SSH", "SSHKeys", "SSHWire", "SSHTransport", "SSHUserAuth", "SSHConnection",
                "MonitorProtocol",
            ], staticPie),
        .executableTarget(name: "postern-init", path: "Sources/Processes/postern-init", cSettings: bare.0, linkerSettings: bare.1),
        program("postern-git", ["Linux", "Sandbox", "Policy"], staticPie),
        program("postern-git-hook", ["Linux", "Sandbox", "Policy"], staticPie),
        program("postern-probe", ["Linux", "Sandbox"], staticPie),
        program("postern-files", ["Linux", "Sodium", "Gcrypt", "Files", "SFTP", "SCP", "MonitorProtocol", "SSHWire"], staticPie),
        program(
            "postern",
            [
                "Linux", "Sodium", "Policy", "Arrivals", "PolicySource", "Sandbox", "SandboxCompiler", "SSHKeys", "SSHClient",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], staticRuntime),

        // What stands in for a frontend that was taken over; never installed.
        .executableTarget(
            name: "hostile-frontend", dependencies: ["Linux", "Sandbox", "SSHWire", "MonitorProtocol"], path: "Tests/HostileFrontend",
            swiftSettings: strict, linkerSettings: staticPie),

        // What several tests use: hosts, files and chance without surprises.
        .target(name: "Peers", dependencies: ["SSH", "SSHWire", "SSHKeys", "SSHTransport", "SSHUserAuth", "SSHConnection", "Sodium", "Files"], path: "Tests/Peers", swiftSettings: strict),
        .target(
            name: "Fuzzing",
            dependencies: [
                "Peers", "SSH", "SSHWire", "SSHKeys", "SSHTransport", "SSHUserAuth", "SSHConnection", "Sodium", "Files", "SFTP", "SCP",
                "MonitorProtocol", "Policy",
            ], path: "Tests/Fuzzing", swiftSettings: strict),
        tests("FuzzingTests", ["Fuzzing"], resources: [.copy("Corpus")]),

        // What a reader of the documentation can run; tests do.
        example("example-client", "Client", ["SSHClient"]),
        example("example-server", "Server", ["SSHServer"]),
        example("example-upload", "Upload", ["SSHClient"]),
        // What bench/library measures.
        example("example-bench", "Bench", ["SSHClient", "SSHServer"]),

        tests("SSHWireTests", ["SSHWire"]),
        tests("SSHKeysTests", ["SSHKeys", "SSHWire", "Sodium"], resources: [.copy("Fixtures")]),
        tests("SSHCiphersTests", ["SSHCiphers", "SSHKeys", "SSHWire", "Sodium", "Gcrypt"], resources: [.copy("Fixtures")]),
        tests("SSHTransportTests", ["Peers", "SSHTransport", "SSHWire", "SSHKeys", "SSHCiphers", "Sodium"]),
        tests("SSHUserAuthTests", ["SSHUserAuth", "SSHWire"]),
        tests("SSHConnectionTests", ["SSHConnection", "SSHUserAuth", "SSHWire"]),
        tests("SSHTests", ["Peers", "SSH", "SSHWire", "SSHKeys", "SSHCiphers", "SSHTransport", "SSHUserAuth", "SSHConnection", "Sodium"], resources: [.copy("Fixtures")]),
        tests("MonitorProtocolTests", ["MonitorProtocol", "SSHWire"]),
        tests("FilesTests", ["Peers", "Files", "SFTP", "SCP", "SSHWire"]),
        tests("PolicyTests", ["Policy"]),
        tests("ArrivalsTests", ["Arrivals", "Policy"]),
        tests("PolicySourceTests", ["PolicySource", "Policy"], resources: [.copy("Wrong")]),
        tests("StoryTests", ["Policy"], resources: [.copy("Stories")]),
        tests("LinuxTests", ["Linux", "CLinux"]),
        tests("HostileTests", ["Linux", "Sandbox", "MonitorProtocol", "SSHKeys", "SSHWire", "Sodium"]),
        tests("SandboxTests", ["Sandbox", "SandboxCompiler", "Linux", "Policy"]),
        tests("GatewayTests", ["Peers", "Linux", "Sandbox", "SSHWire", "SSHKeys", "SSHCiphers", "SSHTransport", "Sodium"]),
        tests("LibraryTests", ["SSHClient", "SSHServer", "SSHBase", "Linux", "Sandbox", log, "example-client", "example-server", "example-upload"]),
        tests("ArchitectureTests", []),
    ],
    swiftLanguageModes: [.v6]
)

// libFuzzer brings the main function: `make fuzz` builds this one program with it.
if Context.environment["POSTERN_FUZZ"] != nil {
    package.targets.append(.executableTarget(name: "fuzzer", dependencies: ["Fuzzing"], path: "Tests/Fuzzer", swiftSettings: [.unsafeFlags(["-parse-as-library"])]))
}
