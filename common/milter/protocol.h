// The words of the milter protocol, version 6, as Sendmail's libmilter speaks it (there is no RFC; the figures are
// those of its mfdef.h). The MTA asks, the filter answers; numbers are big-endian, texts end with a NUL byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::milter {

// The moments of a session at which a filter is asked, in their order.
enum class Stage : std::uint8_t { kConnect, kHelo, kMail, kRcpt, kData, kHeader, kEndOfHeader, kBody, kEndOfMessage };
inline constexpr std::size_t kStages = 9;
std::string_view to_text(Stage s);  // "connect", "HELO", … , "end of message"

// First bytes of packets.
namespace command {
inline constexpr char kNegotiate = 'O', kMacros = 'D', kAbort = 'A', kQuit = 'Q', kQuitAndReuse = 'K';
char of(Stage s);
}  // namespace command

namespace answer {
inline constexpr char kAddRcpt = '+', kDeleteRcpt = '-', kAddRcptWithParameters = '2', kShutdown = '4', kAccept = 'a',
                      kReplaceBody = 'b', kContinue = 'c', kDiscard = 'd', kChangeFrom = 'e', kConnectionFailed = 'f',
                      kAddHeader = 'h', kInsertHeader = 'i', kChangeHeader = 'm', kNegotiate = 'O', kProgress = 'p',
                      kQuarantine = 'q', kReject = 'r', kSkip = 's', kTempfail = 't', kReplyCode = 'y';
}  // namespace answer

inline constexpr std::uint32_t kVersion = 6;
inline constexpr std::uint32_t kOldestVersion = 2;

// What a filter may do to a message.
namespace action {
inline constexpr std::uint32_t kAddHeaders = 0x1, kChangeBody = 0x2, kAddRcpt = 0x4, kDeleteRcpt = 0x8, kChangeHeaders = 0x10,
                               kQuarantine = 0x20, kChangeFrom = 0x40, kAddRcptWithParameters = 0x80, kChooseMacros = 0x100;
inline constexpr std::uint32_t kOffered = 0x1FF;
inline constexpr std::uint32_t kOfferedToVersion2 = 0x3F;
}  // namespace action

// Which stages a filter leaves out, and which it does not answer.
namespace step {
std::uint32_t without(Stage s);    // the bit that leaves it out; 0: it can't be
std::uint32_t unanswered(Stage s);  // the bit by which it has no answer; 0: it always has
inline constexpr std::uint32_t kNoUnknown = 0x100, kMaySkip = 0x400, kNoAnswerToUnknown = 0x20000, kLeadingSpace = 0x100000;
// All but 0x800, that refused recipients are told too: a filter is asked about those that were accepted.
inline constexpr std::uint32_t kOffered = 0x1FF7FF;
inline constexpr std::uint32_t kOfferedToVersion2 = 0x7F;
}  // namespace step

}  // namespace holdfast::milter
