import HeadraceCore
import Testing

struct LocationTests {
    private func location(_ text: String, exists: Bool = false) throws -> Location {
        try Location(text) { _ in exists }
    }

    @Test(arguments: [
        "a.csv", "-", "-?format=csv", "prices.csv?delimiter=;&null=N%2526A", "dir/*.csv?header=false",
        "sqlite:w.db?query=SELECT 1 %26 2 WHERE a=b", "http://h/q?a=1&b=2#rows=/data&null=a%26b",
        "kv:k.db?table=T&key=a,b",
        "postgresql://u:pw@h:5432/db?table=t&sslmode=require", "file:/tmp/a%3Fb%25.csv?infer=off", "file:////a%3F",
        "x.csv?name%3D=a=b",
    ])
    func `the text of a location reads back as the same location`(text: String) throws {
        let first = try location(text)
        #expect(try location(first.text) == first)
        let more = first.setting("null", to: "%&=?#\n é").setting("a&b=%", to: "")
        #expect(try location(more.text) == more)
    }

    @Test func `a file whose name holds a question mark keeps its options in the text`() throws {
        let found = try location("what?.csv", exists: true).setting("infer", to: "off")
        #expect(found.address == "what?.csv")
        #expect(try location(found.text) == found)
    }

    @Test(arguments: [
        (
            "http://user:s3cr3tpw@host/x.json?api_key=QKEY&token=QTOK&page=2",
            "http://user:<redacted>@host/x.json?api_key=<redacted>&token=<redacted>&page=2"
        ),
        ("postgresql://u:pw@h/db@x?table=t", "postgresql://u:<redacted>@h/db@x?table=t"),
        ("postgresql://u:p@w@h/db", "postgresql://u:<redacted>@h/db"),
        ("http://u:pw@h?x=a@b", "http://u:<redacted>@h?x=a@b"), ("http://h/a:b@c", "http://h/a:b@c"),
        ("http://h/x?sub-key=K&author=me&sig=S", "http://h/x?sub-key=<redacted>&author=me&sig=<redacted>"),
        ("http://h/x?%61pi_key=K", "http://h/x?%61pi_key=<redacted>"),
        ("mysql://h/db?user=u&password=p", "mysql://h/db?user=u&password=<redacted>"),
        (
            "https://h/x#header=X-Api-Key: K&header=Accept: text/csv&password-env=PW",
            "https://h/x#header=X-Api-Key: <redacted>&header=Accept: text/csv&password-env=PW"
        ),
        ("kv:k.db?table=T&key=Id", "kv:k.db?table=T&key=Id"), ("a:b@c.csv", "a:b@c.csv"),
    ])
    func `secrets are shown and kept redacted, and nothing else is`(text: String, shown: String) throws {
        let found = try location(text)
        #expect(found.description == shown)
        #expect(found.redacted.description == shown)
        #expect(found.redacted.redacted == found.redacted)
        #expect((found.redacted == found) == (text == shown))
    }
}
