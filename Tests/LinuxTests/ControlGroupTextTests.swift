import Linux
import Testing

@Suite("cgroups(7): what the kernel says") struct ControlGroupTextTests {
    static let paths: [(text: String, path: String?)] = [
        ("0::/system.slice/postern.service\n", "/system.slice/postern.service"), ("0::/\n", "/"), ("", nil), ("\n", nil), ("0::\n", nil), ("0::relative\n", nil),
        ("12:pids:/a\n1:name=systemd:/b\n0::/c d/e\n", "/c d/e"), ("12:pids:/a\n4:memory:/b\n", nil), ("10::/a\n", nil),
        ("0::/../../other\n", nil), ("0::/..\n", nil), ("0::/a..b\n", "/a..b"), ("0::/gone (deleted)\n", nil),
    ]

    @Test(arguments: paths) func `the path is that of version 2, where this process can see it`(text: String, path: String?) {
        #expect(ControlGroupText.path(in: text) == path)
    }

    @Test func `a number stands behind its name`() {
        let text = "low 0\nhigh 0\nmax 12\noom 1\noom_kill 3\nbad x\n"
        #expect(ControlGroupText.number(named: "oom_kill", in: text) == 3)
        #expect(ControlGroupText.number(named: "oom", in: text) == 1)
        for name in ["bad", "kill", "", "oom_group_kill"] { #expect(ControlGroupText.number(named: name, in: text) == nil) }
    }

    @Test func `what is missing is named whole`() {
        #expect(ControlGroupText.missing(["memory", "pids"], in: "cpuset cpu io memory hugetlb pids rdma\n") == [])
        #expect(ControlGroupText.missing(["memory", "pids"], in: "cpu memory_x pids\n") == ["memory"])
        #expect(ControlGroupText.missing(["memory", "pids"], in: "") == ["memory", "pids"])
    }
}
