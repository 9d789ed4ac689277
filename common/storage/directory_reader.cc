#include "common/storage/directory.h"

#include "common/base/log.h"

namespace holdfast::storage {

DirectoryReader::DirectoryReader(std::string state_folder) : state_folder_(std::move(state_folder)) {}

DirectoryReader::~DirectoryReader() = default;

bool DirectoryReader::ready() {
  if (directory_ != nullptr) return true;
  const auto now = base::mono_now();
  if (now < next_look_) return false;
  next_look_ = now + base::Seconds(1);
  auto opened = Directory::open(state_folder_, {.read_only = true});
  if (!opened) {
    note(opened.error());
    return false;
  }
  problem_ = {base::Kind::kNotFound, ""};
  directory_ = std::move(*opened);
  txn_ = std::make_unique<ReadTxn>(directory_->env());
  return true;
}

// Not existing yet is how every installation begins; anything else costs known recipients their mail.
void DirectoryReader::note(const base::Error& error) {
  const bool news = error.text != problem_.text;
  problem_ = error;
  if (news && error.kind != base::Kind::kNotFound) base::log().warning("the directory cannot be read: " + error.text);
}

base::Status DirectoryReader::read(const std::function<void(const Directory&, const Txn&)>& questions) {
  if (!ready()) return std::unexpected(problem_);
  const ReadTxn::View view(*txn_);
  if (!view) return std::unexpected(view.error());
  questions(*directory_, *txn_);
  return {};
}

std::optional<DestinationRow> DirectoryReader::destination(std::string_view name) {
  std::optional<DestinationRow> out;
  (void)read([&](const Directory& directory, const Txn& txn) { out = directory.destination(txn, name); });
  return out;
}

std::optional<DomainRow> DirectoryReader::domain(std::string_view name) {
  std::optional<DomainRow> out;
  (void)read([&](const Directory& directory, const Txn& txn) { out = directory.domain(txn, name); });
  return out;
}

std::optional<RecipientRow> DirectoryReader::recipient(std::string_view key) {
  std::optional<RecipientRow> out;
  (void)read([&](const Directory& directory, const Txn& txn) { out = directory.recipient(txn, key); });
  return out;
}

Standing DirectoryReader::standing(std::string_view key, std::string_view domain_name, std::string_view destination_name,
                                   std::int64_t now_ms, const KeepRule& rule) {
  Standing out = Standing::kUnknown;
  (void)read([&](const Directory& directory, const Txn& txn) {
    const auto row = directory.recipient(txn, key);
    if (!row) return;
    const auto to = directory.destination(txn, destination_name);
    const auto of = directory.domain(txn, domain_name);
    out = storage::standing(*row, destination_name, to ? &*to : nullptr, of ? &*of : nullptr, now_ms, rule);
  });
  return out;
}

}  // namespace holdfast::storage
