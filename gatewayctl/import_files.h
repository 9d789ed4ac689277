// Reads what is to be imported: message files and what is said of them, into what the spool takes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/config/config.h"
#include "common/mail/envelope.h"
#include "common/mail/queue_id.h"
#include "common/storage/content.h"

namespace holdfast::gatewayctl {

// What the command line says. Sender and recipients are of .eml files without a .json beside them; the destination
// counts for all.
struct ImportWords {
  std::vector<std::string> paths;
  std::string sender;
  std::vector<std::string> recipients;
  std::string destination;
  bool hold = false, again = false, dry_run = false;
};

// The .eml files that are meant: those named, and those in the folders named; in order, each once.
base::Result<std::vector<std::string>> find_eml_files(const std::vector<std::string>& paths);

// "X.eml" to "X" + ending: ".json" describes it, ".imported" says that it was.
std::string beside(const std::string& eml, const char* ending);

struct Import {
  mail::Envelope envelope;
  storage::Content content;
};
// kData: the files are not what they should be; kUsage: words are missing. `id` will be the message's.
base::Result<Import> read_import(const config::Config& config, const ImportWords& words, const std::string& eml,
                                 mail::QueueId id, std::int64_t now_ms);

}  // namespace holdfast::gatewayctl
