import HeadraceColumnar
import Testing

@testable import HeadraceRuntime

extension OperatorTests {
    @Suite struct ExactFloatSumTests {
        /// Bit patterns of numbers and of their sum as Python's math.fsum gives it.
        static let vectors: [(numbers: [UInt64], sum: UInt64)] = [
            (
                [
                    0x00001c511afebb6a, 0x4051a94e1f8bfe9a, 0xc051a94e1f8bfe9a, 0xbd2fac5d10d6c780, 0x3d2fac5d115578f4,
                    0x09bd976d9377b9a8, 0x1400c362de608e9a, 0x9400c362dea39c25, 0xcbcfe2ebb038a73c, 0x1787d5876154f5d0,
                    0x9787d5876154f5d0, 0x41cc38f367bf9ab0, 0xef11c487395c8ac8, 0x6f11c487395c8ac8, 0x3ca4504964d32b54,
                    0xc8f8534c6a507b1c, 0xba033b7cc383dd20, 0x8000000000000001, 0xc24fa6842d7cc618, 0x00000000007486ab,
                    0x80000000007486ab, 0x425997825ad3ba00, 0x1cb6fabb77f2e078, 0xaba12870a1bc0148, 0x80c1957cf14f83d0,
                    0x00c1957cf14f83d1, 0xf2f801a0550648b4, 0x72f801a0550648b4, 0x00000000000306dc,
                ], 0xcbcfe2ebb038a7ff
            ),
            (
                [
                    0x0000000000000045, 0xc1d6b310565690e0, 0xc365396a9295cb30, 0x4365396a92eab0da, 0xc4f53209fc8607ee,
                    0x44f53209fc8607ee, 0xe8b7fc1444fde5c0, 0x3d7d72cabbe7bfe6, 0xbfbea321cc50a100,
                ], 0xe8b7fc1444fde5c0
            ),
            (
                [
                    0x2cf040635efe8b38, 0xbd8d24f107c1d3d0, 0x6bc24e31a65c7888, 0xc0c17b11670d0c6c, 0x42c1438ae7d8ffc8,
                ], 0x6bc24e31a65c7888
            ),
            (
                [
                    0x00000000002d0881, 0x800000e7bf1744be, 0x000000e7bf17485d, 0xc17cf1a485b1eaec, 0x417cf1a485b1eaee,
                    0x8000000000066d7a, 0x0000000000066d7a, 0xbf134944194e9a08, 0x3f134944194e9a09, 0x000000000000015e,
                    0x015530f24efb9f2c, 0x00000003f7d7aa07, 0x80000003f7d7aa17, 0x35309368cd7cd724, 0xb5309368cdbf24c7,
                    0x821c88ebc0dd92cc, 0x021c88ebc0dd92ce, 0x8000000000edbe4b,
                ], 0x3e40000000002000
            ),
            (
                [
                    0x800000000000012f, 0x3c2cef508a3a6cec, 0x3d0db83fc049daee, 0x00000000cf384ab7, 0xbed73bdd45fbfcb8,
                    0xc1a5f7641b3b850c, 0x41a5f7641b3b850d, 0x800000000001a2fd, 0xd166444006f26f1c, 0x000001818922f216,
                    0xbf8ab04e3853a968, 0x00000000000301a4, 0xc01ebdb485726028, 0xa3d79e2afcf4f180, 0x23d79e2afd536a2c,
                    0xbfad710661bf10c6, 0x3fad710661bf10c8,
                ], 0xd166444006f26f1c
            ),
            (
                [
                    0xc0606af588849a02, 0x3e1602afc13cf5c6,
                ], 0xc0606af58883e9ed
            ),
            (
                [
                    0x00728b513dd0d214, 0x5be0aa5f39021d3e, 0xdbe0aa5f3944c6bb, 0x00000001e9596837, 0xaaffd18855fb09ae,
                    0x00000000000002eb, 0x80000000000002eb, 0xc078dcedcdd75860, 0x3db51f1b0e10c972, 0xbdb51f1b0e10c972,
                    0x802b588525a02d04, 0xf1161b0127029ce0, 0xbc530e734d40b2d0, 0x3ca4743948ae7b56,
                ], 0xf1161b0127029ce0
            ),
            (
                [
                    0x80000090b8310575, 0x00000090b8310575, 0x5685e45ab0fa960a, 0xd685e45ab1522775, 0x3cfa56ccbeb01e7c,
                    0x410354e0314a18ae, 0xc10354e0314a18ae, 0x80000000000007bb, 0x00000000000007bb, 0x80000000000019fa,
                    0x3f87bdb1299a7dcc, 0xa9f727336a6befee, 0x29f727336ac88cbc, 0x418a445ce789280e, 0x4c0a752f4f149970,
                    0xcc0a752f4f149972, 0xbd07e40d50d90a70, 0x3d07e40d50d90a70, 0x57e2bee8b55fdf68, 0xd7e2bee8b55fdf68,
                    0xbd7c32a6e3f03788, 0x8000000000001e1d, 0x42d72eb23cb5e41c, 0xc2d72eb23cb5e41c, 0x87770e162a635972,
                    0xc2b55791e11c8218, 0xc27744ce6237dd42, 0x3e31e93784a722c0, 0xbddbf332573958b8, 0x3ddbf332573958b8,
                    0x3db8e998177f3794, 0xbeae8769d987b0a0, 0xc341a059e2704380, 0x4341a059e2704380,
                ], 0xd4a5e45ac0000000
            ),
            (
                [
                    0x3cb79c53df0af12e, 0x3e246117014ad428, 0x3e095deee041bb4a, 0xbe095deee041bb4c, 0x800000000000007a,
                    0x8000000000002cfb, 0x9b732272ca48134a, 0x1b732272ca48134a, 0x80022c04eea3923c, 0x00022c04eea3923c,
                    0x00000000000000fd, 0x800000000025470f, 0x000000000025470f, 0xb3a37ff7bc1ac1f0, 0xd3fddee8f39cd7ee,
                    0x404c20d830c021e6, 0x1b1be31a2bc52696, 0x9b1be31a2bc52696, 0x3c8204e3807b2a06, 0xbc8204e3807b2a07,
                    0x35dccf05f7c5e32a, 0xb5dccf05f8391f42, 0x3da007be8ef55240, 0xbda007be8ef55241, 0x00000000000007c3,
                    0x80000000000007c3, 0x8000000007b8b21b, 0x3f46da11d00340c0, 0xbf46da11d00340c0, 0x8000000d0b962379,
                    0x995819a3b844b808, 0x195819a3b844b80a, 0xe5a7b1229bb4b776, 0x65a7b1229bb4b776,
                ], 0xd3fddee8f39cd7ee
            ),
            (
                [
                    0x00154947b3ed1a54, 0x80154947b3ed1a55, 0x8000000000000026, 0x0000000000000026, 0x3ce13ec85a82ed74,
                    0xbce13ec85ac7e895, 0x0000000e1717e30a, 0x8000000e1717e30a, 0x8000000000000004, 0x8000bd5096ab702e,
                    0x0000bd5096ab702e, 0x80a6a0ee4b6e8154, 0x00a6a0ee4bc9050d, 0xde8e3de4e706d5f2, 0x5e8e3de4e706d5f2,
                    0x3efcc0042f9c9692, 0x9a419c822cc7f234, 0x1a419c822cc7f234, 0x00000000000f7438, 0x80000000000f7438,
                    0x4120f09397821ffc, 0xbcebbc2ac570c730, 0x3cebbc2ac5dfb7db, 0x34511ebc4558070e, 0x80afe58aff2be724,
                    0x00afe58aff2be726, 0xd47de572a0ba6d0a, 0xc19255b072334910, 0x419255b072334910, 0x4090eea8b602364c,
                    0x000000005717ff3d, 0xc016d83366db7df6, 0xbb7525fe5cd2f64a, 0x3b7525fe5d278e43, 0xc31765e3a8969de0,
                    0xc0ffa1eee9f66b60, 0x40ffa1eeea74f31c, 0xc0de93fd057648a2,
                ], 0xd47de572a0ba6d0a
            ),
            (
                [
                    0x80001878933a27fa, 0x013d6bf2aae42900, 0x813d6bf2aae42900, 0x80003d6b79c520ed, 0x973e40176f4d45f6,
                    0x40cdfdf4776efb00, 0xc0cdfdf477e6f2d2, 0x1ab5c0a0af63b5fc, 0xef515195bddd15a0, 0x6f515195bddd15a0,
                    0xbebb497fe0fd6700, 0x3ebb497fe0fd6702, 0x2d2a404ded6b48ac, 0x00000000000018ea, 0xac8a62e42b1c585c,
                    0xe2cb17c462f002a2, 0x0000000000000022, 0xc0713b2fbc98cbb4, 0xc334ebfb97041b68, 0x4334ebfb97041b69,
                    0x94b89a11dda27f30, 0xc0a3d266ad643c92, 0x80000363ed10f049, 0x8e573d26dcf86068, 0x000000000760db6f,
                    0x68360fbc02819f60, 0xe8360fbc02819f61,
                ], 0xe4f00000000362f9
            ),
            (
                [
                    0x0000000000001084, 0x000000000064c6bf, 0xc1296a60f17c84e0, 0x41296a60f17c84e0, 0x3f19046ead71aa22,
                    0x3ccc4041ec5904cc, 0x00000000000002f1,
                ], 0x3f19046ead728c24
            ),
            (
                [
                    0x3ff0000000000000, 0x3ca0000000000000,
                ], 0x3ff0000000000000
            ),
            (
                [
                    0x3ff0000000000000, 0x3ca0000000000000, 0x0000000000000001,
                ], 0x3ff0000000000001
            ),
            (
                [
                    0x3ff0000000000001, 0x3ca0000000000000,
                ], 0x3ff0000000000002
            ),
            (
                [
                    0xbff0000000000000, 0xbca0000000000000, 0x8000000000000001,
                ], 0xbff0000000000001
            ),
            (
                [
                    0x0000000000000001, 0x0000000000000001, 0x8000000000000001,
                ], 0x0000000000000001
            ),
        ]

        static func sum(_ numbers: [Double]) -> Double {
            let memory = GroupValues<Int64>(ExactFloatSum.words, repeating: 0)
            let sum = ExactFloatSum(base: memory.values)
            for number in numbers { sum.add(number) }
            let result = sum.rounded()
            _ = consume memory
            return result
        }

        @Test("the sum is the nearest double to the exact one, in any order", arguments: vectors.indices)
        func vector(index: Int) {
            let (numbers, expected) = Self.vectors[index]
            var random = SeededRandom(UInt64(index))
            let values = numbers.map { Double(bitPattern: $0) }
            for _ in 0..<5 {
                #expect(Self.sum(values.shuffled(using: &random)).bitPattern == expected)
            }
        }

        @Test("a sum may pass the greatest number on its way, not at its end")
        func overflow() {
            let large = Double.greatestFiniteMagnitude
            #expect(Self.sum([large, large, -large]) == large)
            #expect(Self.sum([-large, large, -large, -large, large]) == -large)
            #expect(Self.sum([large, large]) == .infinity)
            #expect(Self.sum([-large, -large]) == -.infinity)
            #expect(Self.sum([]) == 0)
        }
    }
}
