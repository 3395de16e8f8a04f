/// What an HTTP answer says about a program in it: by its content type, or by the suffix of its path.
struct ProgramFile {
  /// Processor type of an ELF program as loaders name it in the suffix.
  var platform: String?
  var isScript = false
  /// The content is a program, the name says picture or text.
  var isDisguised = false
  /// The content has no type and the name says picture: something is kept from being looked at.
  var isOpaque = false

  private static let platforms: Set<String> = [
    "mips", "mipsel", "mpsl", "mips64", "arm", "arm4", "arm4l", "arm5", "arm5l", "arm5n", "arm6", "arm6l", "arm7",
    "arm7l", "arm64", "aarch64", "x86", "x86_64", "x86_32", "i486", "i586", "i686", "ppc", "powerpc", "sh4", "spc",
    "sparc", "m68k", "arc", "csky",
  ]
  private static let programs: Set<String> = [
    "exe", "dll", "scr", "pif", "msi", "hta", "vbs", "vbe", "ps1", "bat", "cmd", "jar", "apk", "elf", "cpl", "sys",
  ]
  private static let scripts: Set<String> = ["sh", "ps1", "vbs", "vbe", "bat", "cmd", "hta"]
  private static let pictures: Set<String> = ["jpg", "jpeg", "png", "gif", "bmp", "ico"]
  private static let harmless: Set<String> = [
    "jpg", "jpeg", "png", "gif", "bmp", "ico", "svg", "webp", "txt", "css", "html", "htm", "xml", "json", "log", "pdf",
  ]
  /// As servers declare them and as Zeek recognises them from content.
  private static let types = [
    "application/x-dosexec", "application/x-msdownload", "application/x-msdos-program", "application/x-executable",
    "application/x-sharedlib", "application/x-elf", "application/vnd.microsoft.portable-executable",
    "application/x-pie-executable", "application/java-archive", "application/vnd.android.package-archive",
  ]

  init?(_ exchange: HTTPExchange) {
    let suffix = HTTPShape.suffix(of: exchange.target)
    let type = exchange.contentType?.lowercased() ?? ""
    let isProgramType = Self.types.contains { type.hasPrefix($0) }
    let isText = type.hasPrefix("text/html") || type.hasPrefix("image/")
    if type.hasPrefix("application/octet-stream"), Self.pictures.contains(suffix) {
      isOpaque = true
    } else if isProgramType, Self.harmless.contains(suffix) {
      isDisguised = true
    } else if Self.platforms.contains(suffix), !isText {
      platform = suffix
    } else if Self.scripts.contains(suffix) || suffix == "sh", !isText {
      isScript = true
    } else if !isProgramType, !Self.programs.contains(suffix) || isText {
      return nil
    }
  }
}
