// The only program that parses what the peer sends (DESIGN §6). It has no file, no key and no policy: it asks the monitor.
//
// The order: prepare what needs calls that are denied later, confine, and only then take the connection and read.
import Gcrypt
import Linux
import Sandbox
import Sodium

Sodium.initialize()
SecretBytes.reserve()
Gcrypt.initialize()
ignoreBrokenPipes()
do {
    let monitor = MonitorChannel(.standardOutput)
    try FrontendConfinement.enter()
    var frontend = try Frontend(monitor)
    try frontend.run()
    exitNow(0)
} catch {
    // The monitor sees the end of the channel and knows the reason as far as it was told.
    exitNow(1)
}
