import Mothlight

/// The reports' style with what a dashboard adds: colours that can be chosen, ways between pages, forms, small charts.
enum DashboardStyle {
  static var sheet: String {
    let sheet: Markup = """
      :root{\(HTMLStyle.light);\(CensusStyle.light)}
      @media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){\(HTMLStyle.dark);\(CensusStyle.dark)}}
      @media screen{:root[data-theme=dark]{\(HTMLStyle.dark);\(CensusStyle.dark)}}
      \(HTMLStyle.rules)
      \(CensusStyle.rules)
      \(rules)
      """
    return sheet.text
  }

  /// The mark alone, for the browser's tab; a tab has no page's colours.
  static let icon = """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 40"><style>path{fill:#3d444b}@media (prefers-color-scheme:dark)\
    {path{fill:#e7e4dd}}</style><path d="M23 17C18 7 9 2 2 5c-1 8 5 16 20 17zM22.5 21C14 21 8 26 9 34c7 2 13-3 14.5-10z"/>\
    <path transform="matrix(-1 0 0 1 48 0)" d="M23 17C18 7 9 2 2 5c-1 8 5 16 20 17zM22.5 21C14 21 8 26 9 34c7 2 13-3 14.5-10z"/></svg>
    """

  private static let rules: Markup = """
    .dash{max-width:78rem}
    """
}
