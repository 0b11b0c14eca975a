// Stands in for `postern-frontend` after it was taken over: whoever holds the other end of the connection says what it does, as the
// attacker would. It has what the real one has, no more: the confinement is the same.
//
// The order is that of the real one: confine, and only then read.
import Linux
import Sandbox

ignoreBrokenPipes()
do {
    try FrontendConfinement.enter()
    var puppet = try Puppet()
    try puppet.run()
    exitNow(0)
} catch {
    exitNow(1)
}
