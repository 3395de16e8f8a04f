import Crypto
import HTTPTypes
import Hummingbird
import Mothlight

/// The style sheet, the script and the mark: the same for everybody, so they need no visitor and may be kept by browsers.
struct StaticRoutes: RouteGroup {
  private struct Asset: Sendable {
    let type: String
    let octets: [UInt8]
    let tag: String

    init(_ type: String, _ octets: [UInt8]) {
      self.type = type
      self.octets = octets
      tag = "\"\(Hex.encode(Array(SHA256.hash(data: octets).prefix(12))))\""
    }
  }

  private static let assets: [String: Asset] = [
    "style.css": Asset("text/css; charset=utf-8", Array(DashboardStyle.sheet.utf8)),
    "app.js": Asset("text/javascript; charset=utf-8", PackageResources.app_js),
    "moth.svg": Asset("image/svg+xml", Array(DashboardStyle.icon.utf8)),
  ]

  func add(open: Router<StationContext>, gated: RouterGroup<StationContext>) {
    open.get("/static/:name") { request, context in
      guard let name = context.parameters.get("name"), let asset = Self.assets[name] else { throw Failure.notFound }
      var headers: HTTPFields = [
        .eTag: asset.tag, .cacheControl: "public, max-age=300, must-revalidate", .contentType: asset.type,
      ]
      let known = request.headers[.ifNoneMatch]?.split(separator: ",").map { $0.drop { $0 == " " } } ?? []
      if known.contains(where: { $0 == asset.tag || $0 == "*" }) {
        headers[.contentType] = nil
        return Response(status: .notModified, headers: headers)
      }
      return Response(
        status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.octets)))
    }
  }
}
