// The stages of an SMTP session with a destination, in their order: where an attempt failed.
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::mail {

// The numbers go between daemons: new ones at the end only. kLocal: a failure of our own, which says
// nothing of the destination.
enum class Stage : std::uint8_t { kNone, kConnect, kBanner, kEhlo, kStartTls, kAuth, kMail, kRcpt, kData, kContent, kDot, kLocal };

// As reasons begin: "connect", "banner", "EHLO", …; "" for kNone.
constexpr std::string_view to_text(Stage stage) {
  switch (stage) {
    case Stage::kNone: return "";
    case Stage::kConnect: return "connect";
    case Stage::kBanner: return "banner";
    case Stage::kEhlo: return "EHLO";
    case Stage::kStartTls: return "STARTTLS";
    case Stage::kAuth: return "AUTH";
    case Stage::kMail: return "MAIL";
    case Stage::kRcpt: return "RCPT";
    case Stage::kData: return "DATA";
    case Stage::kContent: return "content";
    case Stage::kDot: return "end of DATA";
    case Stage::kLocal: return "local";
  }
  return "";
}

}  // namespace holdfast::mail
