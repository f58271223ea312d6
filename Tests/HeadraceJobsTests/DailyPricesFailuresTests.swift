import HeadraceCore
import Testing

@testable import HeadraceJobs

@Suite struct DailyPricesFailuresTests {
    @Test("The run log names every feed that failed with its cause, and nothing where none did")
    func causes() {
        let failures = ["scrape amazon", "scrape ebay"].map { feed in
            (step: feed, error: HeadraceError(.inputOutput, "\(feed) did not answer"))
        }
        let text = DailyPrices.causes(failures)
        #expect(text?.contains("scrape amazon: ") == true && text?.contains("scrape amazon did not answer") == true)
        #expect(text?.contains("scrape ebay: ") == true && text?.contains("scrape ebay did not answer") == true)
        #expect(DailyPrices.causes([]) == nil)
    }
}
