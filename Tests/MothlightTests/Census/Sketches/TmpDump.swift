import Testing
import Glibc
@testable import Mothlight
@Suite struct TmpDump { @Test func dump() throws {
  let o = try SketchVectorTests.madeRollup().serialised
  let f = fopen("/tmp/rollup.hex", "w"); for b in o { let s = String(b, radix: 16); fputs(s.count == 1 ? "0" + s : s, f) }; fclose(f) } }
