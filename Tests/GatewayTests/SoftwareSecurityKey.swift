import Foundation
import Linux

/// A security key made of software, which OpenSSH's programs load as they load the driver of a real one.
///
/// What it puts into the flags of its signatures is what it is asked for, or what the environment variable `TEST_SK_FLAGS` says.
enum SoftwareSecurityKey {
    /// Compiled once, in the directory of the first test that needs it; the library goes with the test process's directory.
    static let library = Result { try build() }

    /// Makes a pair of files that stand for a key in such a device.
    static func makeKey(_ path: String) throws {
        let made = try run(
            ["/usr/bin/ssh-keygen", "-q", "-t", "ed25519-sk", "-N", "", "-C", "", "-w", try library.get(), "-f", path])
        guard made.code == 0 else { throw Trouble("ssh-keygen: \(made)") }
    }

    /// What a client needs to sign with such a key.
    static var options: [String] { get throws { ["-o", "SecurityKeyProvider=\(try library.get())"] } }
    /// What makes such a key say something of its use.
    static func saying(_ flags: UInt8) -> [String] { ["TEST_SK_FLAGS=\(flags)"] }

    private static func build() throws -> String {
        let directory = "/tmp/gatewaytest-sk-\(processID)"
        try makeDirectory(directory, mode: 0o755)
        atexit { try? FileManager.default.removeItem(atPath: "/tmp/gatewaytest-sk-\(processID)") }
        try source.write(toFile: "\(directory)/sk.c", atomically: false, encoding: .utf8)
        let built = try run(["/usr/bin/cc", "-shared", "-fPIC", "-o", "\(directory)/sk.so", "\(directory)/sk.c", "-lsodium"])
        guard built.code == 0 else { throw Trouble("cc: \(built)") }
        return "\(directory)/sk.so"
    }

    /// The functions and structures that OpenSSH's sk-api.h of version 10 (OpenSSH 9.1 and later) asks for.
    private static let source = #"""
        #include <sodium.h>
        #include <stdlib.h>
        #include <string.h>

        struct option;
        struct enrolled {
            uint8_t flags;
            uint8_t *public_key; size_t public_key_bytes;
            uint8_t *handle; size_t handle_bytes;
            uint8_t *signature; size_t signature_bytes;
            uint8_t *certificate; size_t certificate_bytes;
            uint8_t *data; size_t data_bytes;
        };
        struct signature {
            uint8_t flags;
            uint32_t counter;
            uint8_t *r; size_t r_bytes;
            uint8_t *s; size_t s_bytes;
        };

        uint32_t sk_api_version(void) { return 0x000a0000; }

        /* The key handle, which a real device encrypts, is the private key. */
        int sk_enroll(uint32_t algorithm, const uint8_t *challenge, size_t challenge_bytes, const char *application, uint8_t flags,
                      const char *pin, struct option **options, struct enrolled **result) {
            struct enrolled *key = calloc(1, sizeof *key);
            key->flags = flags;
            key->public_key = calloc(1, 32); key->public_key_bytes = 32;
            key->handle = calloc(1, 64); key->handle_bytes = 64;
            key->signature = calloc(1, 64); key->signature_bytes = 64;
            key->data = calloc(1, 37); key->data_bytes = 37;
            crypto_sign_keypair(key->public_key, key->handle);
            *result = key;
            return 0;
        }

        int sk_sign(uint32_t algorithm, const uint8_t *message, size_t message_bytes, const char *application, const uint8_t *handle,
                    size_t handle_bytes, uint8_t flags, const char *pin, struct option **options, struct signature **result) {
            struct signature *made = calloc(1, sizeof *made);
            const char *wanted = getenv("TEST_SK_FLAGS");
            uint8_t signed_bytes[69];
            made->flags = wanted ? (uint8_t)atoi(wanted) : flags;
            made->counter = 7;
            crypto_hash_sha256(signed_bytes, (const uint8_t *)application, strlen(application));
            signed_bytes[32] = made->flags;
            memcpy(signed_bytes + 33, "\0\0\0\7", 4);
            crypto_hash_sha256(signed_bytes + 37, message, message_bytes);
            made->r = calloc(1, 64); made->r_bytes = 64;
            crypto_sign_detached(made->r, NULL, signed_bytes, sizeof signed_bytes, handle);
            *result = made;
            return 0;
        }

        int sk_load_resident_keys(const char *pin, struct option **options, void ***keys, size_t *count) { return -2; }
        """#
}
