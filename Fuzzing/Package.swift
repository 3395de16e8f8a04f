// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "mothlight-fuzzing",
  dependencies: [.package(name: "mothlight", path: "..")],
  targets: [
    .executableTarget(
      name: "Fuzz",
      dependencies: [
        .product(name: "Mothlight", package: "mothlight"), .product(name: "MothlightStation", package: "mothlight"),
      ],
      swiftSettings: [.enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility")])
  ]
)
