import Crypto
import HTTPTypes
import Hummingbird
import Mothlight

/// A file that is the same for everybody. Its address changes with its content, so that browsers may keep it for good and still
/// never show a page of one version with the style of another.
struct Asset: Sendable {
  let name: String
  let type: String
  let octets: [UInt8]
  let tag: String

  private init(_ name: String, _ type: String, _ octets: [UInt8]) {
    self.name = name
    self.type = type
    self.octets = octets
    tag = Hex.encode(Array(SHA256.hash(data: octets).prefix(8)))
  }

  var path: String { "/static/\(name)?v=\(tag)" }

  static let style = Asset("style.css", "text/css; charset=utf-8", Array(DashboardStyle.sheet.utf8))
  static let script = Asset("app.js", "text/javascript; charset=utf-8", PackageResources.app_js)
  static let icon = Asset("moth.svg", "image/svg+xml", Array(DashboardStyle.icon.utf8))
  static let all = [style, script, icon]
}

/// The style sheet, the script and the mark; they need no visitor.
struct StaticRoutes: RouteGroup {
  func add(open: Router<StationContext>, gated: RouterGroup<StationContext>) {
    open.get("/static/:name") { request, context in
      let name = context.parameters.get("name") ?? ""
      guard let asset = Asset.all.first(where: { $0.name == name }) else { throw Failure.notFound }
      let tag = "\"\(asset.tag)\""
      let isNamed = Form(request.uri.query ?? "")["v"] == asset.tag
      var headers: HTTPFields = [
        .eTag: tag, .cacheControl: isNamed ? "public, max-age=31536000, immutable" : "no-cache",
      ]
      let known = request.headers[.ifNoneMatch]?.split(separator: ",").map { $0.drop { $0 == " " } } ?? []
      if known.contains(where: { $0 == tag || $0 == "*" }) { return Response(status: .notModified, headers: headers) }
      headers[.contentType] = asset.type
      return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.octets)))
    }
  }
}
