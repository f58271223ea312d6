import Testing

@testable import HeadraceHTTP

private func rules(_ text: String, agent: String = "headrace") -> RobotsRules {
    RobotsRules(Array(text.utf8), agent: agent)
}

@Suite struct RobotsRulesTests {
    @Test("The example of RFC 9309 section 5.1 holds for its agents")
    func example() {
        let file = """
            User-Agent: *
            Disallow: *.gif$
            Disallow: /example/
            Allow: /publications/

            User-Agent: foobot
            Disallow:/
            Allow:/example/page.html
            Allow:/example/allowed.gif

            User-Agent: barbot
            User-Agent: bazbot
            Disallow: /example/page.html

            User-Agent: quxbot

            """
        let any = rules(file)
        #expect(!any.allows("/a/b.gif") && any.allows("/a/b.gif?x") && !any.allows("/example/x") && any.allows("/x"))
        let foo = rules(file, agent: "FooBot/2.1")
        #expect(foo.allows("/example/page.html") && foo.allows("/example/allowed.gif") && !foo.allows("/example/x"))
        for agent in ["barbot", "bazbot"] {
            #expect(!rules(file, agent: agent).allows("/example/page.html"))
            #expect(rules(file, agent: agent).allows("/example/other.gif"))
        }
        #expect(rules(file, agent: "quxbot").allows("/example/"))
    }

    @Test(
        "Patterns match as RFC 9309 says",
        arguments: [
            ("/fish", "/fish.html", true), ("/fish", "/Fish", false), ("/fish*", "/fishheads/yummy", true),
            ("/fish/", "/fish", false), ("/fish/", "/fish/?id=1", true), ("/*.php", "/a/b.php?x", true),
            ("/*.php$", "/a/b.php", true), ("/*.php$", "/a/b.php?x", false), ("/*.php$", "/a.php/b.php", true),
            ("/fish*.php", "/fishheads/catfish.php?x", true), ("/a$b", "/a$b", true), ("/a$b", "/a", false),
            ("*", "/x", true), ("$", "/", false), ("/**b", "/ab", true), ("/a*b*c", "/aXbYbZc", true),
            ("/foo/bar?baz=http://foo.bar", "/foo/bar?baz=http://foo.bar", true), ("/ツ", "/%E3%83%84", true),
            ("/%E3%83%84", "/%e3%83%84", true), ("/foo/bar/%62%61%7A", "/foo/bar/baz", true),
        ])
    func patterns(pattern: String, path: String, matches: Bool) {
        #expect(rules("User-agent: *\nDisallow: \(pattern)").allows(path) != matches)
    }

    @Test("The longest rule decides, and of two as long the one that allows")
    func precedence() {
        let file = "User-agent: *\nDisallow: /p\nAllow: /page\nDisallow: /page/x\nAllow: /page/x"
        #expect(!rules(file).allows("/photo") && rules(file).allows("/page1") && rules(file).allows("/page/x"))
    }

    @Test("Groups of the same agent are one, an own group hides the others, and rules before any agent count for none")
    func groups() {
        let file = """
            Disallow: /before
            User-agent: headrace\r\nDisallow: /a\rUser-agent: *
            Disallow: /b
            Sitemap: http://h/s.xml
            user-AGENT : HEADRACE # and a comment
            disallow : /c # another
            Crawl-delay: 0.5
            """
        let own = rules(file)
        #expect(own.allows("/before") && !own.allows("/a") && own.allows("/b") && !own.allows("/c"))
        #expect(own.crawlDelay == 0.5)
        #expect(rules(file, agent: "other").crawlDelay == nil)
    }

    @Test("Damaged files do no harm", arguments: ["", "\u{FEFF}", ":::", "User-agent", "Disallow: /\u{0}", "\u{FFFD}"])
    func damaged(text: String) { #expect(rules(text).allows("/x")) }

    @Test("A byte order mark does not hide the first line")
    func mark() { #expect(!rules("\u{FEFF}User-agent: *\nDisallow: /").allows("/x")) }

    @Test("An empty rule is none, and robots.txt itself is always open")
    func special() {
        #expect(rules("User-agent: *\nDisallow:").allows("/x"))
        #expect(rules("User-agent: *\nDisallow: /").allows("/robots.txt"))
        #expect(RobotsRules.refuseAll.allows("/robots.txt") && !RobotsRules.refuseAll.allows("/"))
    }
}
