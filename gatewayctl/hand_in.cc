#include "gatewayctl/hand_in.h"

#include <cstdio>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/base/codec.h"
#include "common/storage/record.h"
#include "common/storage/space.h"
#include "gatewayctl/as_owner.h"

namespace holdfast::gatewayctl {
namespace {

base::Status check_space(const Gateway& gateway, std::uint64_t length) {
  const auto& config = gateway.config();
  const auto space = storage::read_space(config.paths.spool);
  if (!space) return std::unexpected(space.error());
  const storage::Reserve reserve{.percent = config.reserve.percent, .bytes = config.reserve.bytes};
  if (storage::accepts(*space, reserve, length)) return {};
  return base::fail(base::Kind::kNoSpace, "the spool's disk is full up to its reserve (spool.reserve)");
}

}  // namespace

base::Result<HandIn> HandIn::open(const Gateway& gateway) {
  const auto answer = gateway.ask("master", "master.writer");
  if (!answer) return std::unexpected(answer.error());
  const auto told = nlohmann::json::parse(*answer, nullptr, false);
  const auto number = told.is_object() ? told.value("writer", std::uint32_t{0}) : 0;
  if (number == 0) return base::fail(base::Kind::kInternal, "master gave no writer number");
  return HandIn(gateway, number);
}

base::Status HandIn::add(mail::QueueId id, const mail::Envelope& envelope, const storage::Content& content) {
  const auto length = storage::kRecordHeaderBytes + base::encode(envelope).size() + content.size();
  if (auto done = make_room(length); !done) return done;
  const auto record = segment_->append(id, 0, envelope, content);
  if (!record) return std::unexpected(record.error());
  return {};
}

base::Status HandIn::make_room(std::uint64_t length) {
  if (auto done = check_space(*gateway_, length); !done) return done;
  if (segment_ != nullptr && segment_->has_room(length)) return {};
  if (auto done = close(); !done) return done;
  const std::string folder = storage::segments_folder(gateway_->config().paths.spool);
  const AsOwnerOf owner(folder);
  auto made = storage::SegmentWriter::create(storage::real_file_ops(), folder, {writer_, next_segment_++});
  if (!made) return std::unexpected(made.error());
  segment_ = std::move(*made);
  return {};
}

base::Status HandIn::sync() {
  if (segment_ == nullptr) return {};
  const auto done = segment_->sync();
  if (done) tell(false);
  return done;
}

base::Status HandIn::close() {
  if (segment_ == nullptr) return {};
  const auto done = segment_->sync();
  tell(true);
  segment_.reset();
  return done;
}

void HandIn::tell(bool sealed) {
  const auto id = segment_->id();
  const auto told = gateway_->ask("qmgr", "qmgr.synced",
                                  {fmt::format("{}", id.writer), fmt::format("{}", id.number),
                                   fmt::format("{}", segment_->synced()), sealed ? "1" : "0"});
  // Whoever is told nothing finds the segment when its lock is free.
  if (!told)
    std::fprintf(stderr, "gatewayctl: warning: %s; it will find the messages when it runs\n",
                 told.error().text.c_str());
}

}  // namespace holdfast::gatewayctl
