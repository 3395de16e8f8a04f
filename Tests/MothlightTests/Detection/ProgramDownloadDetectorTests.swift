import Testing

@testable import Mothlight

@Suite struct ProgramDownloadDetectorTests {
  static let host = IPAddress(v4: 0x0a00_000b)
  static let server = IPAddress(v4: 0xc633_6401)

  private func odds(_ f: ObservationFixture) throws -> [Double] {
    try f.findings(ProgramDownloadDetector.self).map(\.logOdds)
  }

  @Test func loaderFetchesEveryProcessorType() throws {
    var f = ObservationFixture()
    for (n, type) in ["mips", "mpsl", "arm7", "x86"].enumerated() {
      f.web(
        Double(n), Self.host, Self.server, "198.51.100.1", "GET", "/bins/k.\(type)", agent: "Wget/1.20", got: 60_000)
    }
    for size in [1, 512] {
      let found = try f.findings(ProgramDownloadDetector.self, batch: size)
      #expect(found.map { $0.logOdds >= 3 && $0.summary.contains("4 processor types") } == [true])
    }
  }

  @Test func oneProgramFromABareAddressIsAHint() throws {
    var f = ObservationFixture()
    f.web(1, Self.host, Self.server, nil, "GET", "/a.exe", agent: ObservationFixture.browser, got: 90_000)
    let got = try odds(f)
    #expect(got.count == 1 && got[0] >= 1 && got[0] <= 2.5)
  }

  @Test func programUnderAPicturesName() throws {
    var f = ObservationFixture()
    f.web(1, Self.host, Self.server, "img.example", "GET", "/a.jpg", got: 90_000, type: "application/x-dosexec")
    let got = try odds(f)
    #expect(got.count == 1 && got[0] >= 1 && got[0] <= 2.5)
  }

  @Test func untypedPictureFromABareAddressIsNearlyNothing() throws {
    var f = ObservationFixture()
    for name in ["198.51.100.1", "img.example"] {
      f.web(1, Self.host, Self.server, name, "GET", "/a.png", got: 9, type: "application/octet-stream")
    }
    #expect(try odds(f) == [0.6])
  }

  @Test func updatesAndInstallersSayNothing() throws {
    var f = ObservationFixture()
    f.web(1, Self.host, Self.server, "dl.vendor.example", "GET", "/setup.exe", got: 9, type: "application/x-dosexec")
    f.web(2, Self.host, Self.server, "get.tool.example", "GET", "/install.sh", agent: "curl/8.1", got: 9)
    f.web(3, Self.host, Self.server, "198.51.100.9", "GET", "/x.mips", agent: "Wget", status: 404)
    f.web(4, Self.host, Self.server, "wiki.example", "GET", "/Intel.x86", got: 9, type: "text/html")
    f.web(5, Self.host, Self.server, "198.51.100.9", "GET", "/pic.jpg", got: 9, type: "image/jpeg")
    #expect(try odds(f).isEmpty)
  }
}
