/// What the market sells: a name as its maker writes it and a price around which the shops move.
package struct MarketProduct: Hashable, Sendable {
    /// The maker's spelling, with single spaces; shops write it in their own ways.
    package let name: String
    /// The maker's name, which also begins most product names.
    package let brand: String
    /// The price in US cents from which a day's price is derived.
    package let baseUSCents: Int
}

extension MarketProduct {
    /// Models that come in the same variants, each of which adds to the price.
    private struct Line {
        let brand: String
        let models: [(name: String, dollars: Int)]
        let variants: [(name: String, dollars: Int)]
    }

    /// The first `count` products of the market: the 150 that everyone knows, in an order that mixes the families,
    /// then as many spare parts with numbers for names as are asked for.
    static func range(count: Int) -> [MarketProduct] {
        let known = lines.flatMap { line in
            line.models.flatMap { model in
                line.variants.map { variant in
                    let words = [model.name, variant.name].filter { !$0.isEmpty }
                    return MarketProduct(
                        name: words.joined(separator: " "), brand: line.brand,
                        baseUSCents: (model.dollars + variant.dollars) * 100)
                }
            }
        }
        let mixed = known.indices
            .map { (key: MarketNoise.mixed(UInt64($0)), index: $0) }
            .sorted { $0.key < $1.key }
            .prefix(count)
            .map { known[$0.index] }
        guard count > mixed.count else { return mixed }
        return mixed
            + (mixed.count..<count).map { number in
                let cents = 500 + Int(MarketNoise.mixed(UInt64(number)) >> 40) % 90_000
                return MarketProduct(
                    name: "Ersatzteil Nº \(padded(number, 6))", brand: "Ersatzteil", baseUSCents: cents)
            }
    }

    private static let storage = [("128GB", 0), ("256GB", 100), ("512GB", 300)]

    private static let lines: [Line] = [
        Line(
            brand: "Apple",
            models: [
                ("Apple iPhone 13", 549), ("Apple iPhone 14", 649), ("Apple iPhone 14 Plus", 729),
                ("Apple iPhone 15", 749), ("Apple iPhone 15 Plus", 849), ("Apple iPhone 15 Pro", 999),
                ("Apple iPhone 15 Pro Max", 1199), ("Apple iPhone 16", 799), ("Apple iPhone 16 Plus", 899),
                ("Apple iPhone 16 Pro", 1049), ("Apple iPhone 16 Pro Max", 1249), ("Apple iPhone 16e", 599),
            ],
            variants: storage),
        Line(
            brand: "Apple",
            models: [
                ("Apple MacBook Air 13\" M3", 1049), ("Apple MacBook Air 15\" M3", 1249),
                ("Apple MacBook Air 13\" M4", 1099), ("Apple MacBook Pro 14\" M3", 1599),
                ("Apple MacBook Pro 14\" M4", 1699), ("Apple MacBook Pro 16\" M4", 2499),
            ],
            variants: [("256GB, 16GB RAM", 0), ("512GB, 16GB RAM", 200), ("1TB, 24GB RAM", 600)]),
        Line(
            brand: "Apple",
            models: [("Apple AirPods 4", 129), ("Apple AirPods Pro 2", 229), ("Apple AirPods 3", 149)],
            variants: [("", 0), ("+ Étui", 35)]),
        Line(
            brand: "Apple",
            models: [("Apple AirPods Max", 499)],
            variants: [("Midnight", 0), ("Starlight", 0), ("Blue", 0)]),
        Line(
            brand: "Apple",
            models: [("Apple iPad Air 11\"", 599), ("Apple iPad Pro 13\"", 1299), ("Apple iPad mini", 499)],
            variants: storage),
        Line(
            brand: "Samsung",
            models: [
                ("Samsung Galaxy S24", 699), ("Samsung Galaxy S24 Ultra", 1099), ("Samsung Galaxy S25", 799),
                ("Samsung Galaxy Z Flip6", 899),
            ],
            variants: storage),
        Line(
            brand: "Google",
            models: [("Google Pixel 8a", 449), ("Google Pixel 9", 749), ("Google Pixel 9 Pro", 949)],
            variants: storage),
        Line(
            brand: "Sony",
            models: [("Sony α7 IV Gehäuse", 2299), ("Sony WH-1000XM5", 349), ("Sony PlayStation®5 Slim", 469)],
            variants: [("", 0), ("(Bundle)", 80)]),
        Line(
            brand: "LG",
            models: [("LG OLED evo C4", 1199)],
            variants: [("48\"", 0), ("55\"", 250), ("65\"", 700), ("77\"", 1500)]),
        Line(
            brand: "Dell",
            models: [("Dell XPS 13", 1099), ("Dell XPS 16", 1599)],
            variants: [("16 GB / 512 GB", 0), ("32 GB / 1 TB", 450)]),
        Line(
            brand: "Lenovo",
            models: [("Lenovo ThinkPad X1 Carbon", 1499), ("Lenovo ThinkPad T14s", 1199)],
            variants: [("i5", 0), ("i7", 300)]),
        Line(
            brand: "Nintendo",
            models: [("Nintendo Switch OLED", 319), ("任天堂 Switch Lite", 189)],
            variants: [("", 0), ("+ Mario Kart™", 50)]),
        Line(
            brand: "De'Longhi",
            models: [("De'Longhi Dedica Café Crème", 219), ("De'Longhi Magnifica S", 399)],
            variants: [("", 0), ("weiß", 20)]),
        Line(
            brand: "Bosch",
            models: [("Bosch Küchenmaschine MUM5", 289), ("Bosch Kühlschrank Groß & Leise", 879)],
            variants: [("", 0)]),
        Line(
            brand: "Anker",
            models: [("Anker Power Bank & Cable <2-pack>", 59), ("Anker Soundcore; \"Liberty 4\"", 99)],
            variants: [("", 0)]),
        Line(
            brand: "LEGO",
            models: [("LEGO® Icons 🚀 Artemis", 259), ("LEGO® Technic Señor Robot", 49)],
            variants: [("", 0)]),
        Line(
            brand: "Kindle",
            models: [("Kindle Paperwhite", 149), ("Kindle Scribe", 389)],
            variants: [("16GB", 0), ("64GB", 50)]),
        Line(
            brand: "Bose",
            models: [("Bose QuietComfort® Ultra", 379), ("Bose SoundLink Flex", 129)],
            variants: [("", 0)]),
        Line(
            brand: "Dyson",
            models: [("Dyson V15 Detect", 649), ("Dyson Airwrap", 549), ("Dyson Purifier Cool", 429)],
            variants: [("", 0)]),
        Line(
            brand: "GoPro",
            models: [("GoPro HERO13 Black", 399), ("GoPro MAX 360°", 349)],
            variants: [("", 0)]),
        Line(
            brand: "Microsoft",
            models: [("Microsoft Surface Laptop 7", 999), ("Microsoft Surface Pro 11", 899)],
            variants: [("256GB", 0), ("512GB", 200), ("1TB", 500)]),
        Line(
            brand: "Canon",
            models: [("Canon EOS R6 Mark II", 2199), ("Canon EOS R50", 679)],
            variants: [("", 0), ("+ 18-45mm Kit", 120)]),
        Line(
            brand: "Garmin",
            models: [("Garmin fēnix 8", 999), ("Garmin Forerunner 265", 449), ("Garmin Edge 1050", 699)],
            variants: [("", 0)]),
        Line(
            brand: "Rolex",
            models: [("Rolex Daytona Platinum 126506", 76_500)],
            variants: [("", 0)]),
    ]
}
