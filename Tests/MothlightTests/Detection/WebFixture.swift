@testable import Mothlight

extension ObservationFixture {
  /// One HTTP exchange in full; through a proxy when `via` is given.
  mutating func web(
    _ second: Double, _ host: IPAddress, _ server: IPAddress, _ name: String?, _ method: String = "GET",
    _ target: String = "/", port: UInt16 = 80, agent: String? = nil, referer: String? = nil, sent: UInt64 = 0,
    got: UInt64 = 0, status: UInt16? = 200, type: String? = nil, _ orientation: Orientation = .outbound
  ) {
    let exchange = HTTPExchange(
      ends: ends(host, server, port: port), method: method, host: name, target: target, userAgent: agent,
      referer: referer, status: status, requestBodyOctets: sent, responseBodyOctets: got, contentType: type)
    add(second, host, .http(exchange), orientation)
  }

  static let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0"

  /// A person who reads pages in the clear: many sites, many objects, referrers.
  mutating func reading(_ host: IPAddress, sites: Int = 20) {
    for site in 0..<sites {
      let server = IPAddress(v4: 0x2d00_0000 + UInt32(site))
      let name = "site\(site).example"
      for object in 0..<12 {
        web(
          Double(site) * 300 + Double(object) * 0.4, host, server, name, "GET", "/part\(object)/p\(object).png",
          agent: Self.browser, referer: object == 0 ? nil : "http://\(name)/", got: UInt64(1000 + object * 777 + site))
      }
    }
  }
}
