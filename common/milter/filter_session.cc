#include "common/milter/filter_session.h"

#include <utility>

#include <fmt/format.h>

#include "common/base/panic.h"

namespace holdfast::milter {

namespace {

std::uint32_t bit(Stage s) { return 1u << std::to_underlying(s); }

void append_path(std::string& data, std::string_view address, std::string_view parameters) {
  append_text(data, fmt::format("<{}>", address));
  while (!parameters.empty()) {
    const std::size_t end = std::min(parameters.find(' '), parameters.size());
    if (end > 0) append_text(data, parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
  }
}

std::string_view without_leading_blanks(std::string_view value) {
  return value.substr(std::min(value.find_first_not_of(" \t"), value.size()));
}

}  // namespace

FilterSession::FilterSession(FilterLimits limits) : limits_(limits) { append_packet(output_, command::kNegotiate, offer()); }

void FilterSession::receive(std::string_view bytes) {
  if (!broken_) reader_.receive(bytes);
}

bool FilterSession::passes(Stage s) const {
  return accepted_ != Accepted::kNo || !terms_.wants(s) || (skipped_ & bit(s)) != 0;
}

bool FilterSession::ask(Stage stage, std::string_view data, const Macros& macros) {
  base::expect(ready_ && !waiting_, "a filter is asked one thing at a time");
  if (broken_ || passes(stage)) return false;
  if (const std::string values = macros_for(stage, macros, terms_); !values.empty()) {
    append_packet(output_, command::kMacros, std::string(1, command::of(stage)) + values);
  }
  append_packet(output_, command::of(stage), data);
  if (!terms_.answers(stage)) return false;
  waiting_ = stage;
  return true;
}

bool FilterSession::connect(const Client& client, const Macros& macros) {
  std::string data;
  append_text(data, client.name);
  if (client.address.empty()) {
    data.push_back('U');
  } else {
    data.push_back(client.address.contains(':') ? '6' : '4');
    data.push_back(static_cast<char>(client.port >> 8));
    data.push_back(static_cast<char>(client.port));
    append_text(data, client.address);
  }
  return ask(Stage::kConnect, data, macros);
}

bool FilterSession::helo(std::string_view name, const Macros& macros) {
  std::string data;
  append_text(data, name);
  return ask(Stage::kHelo, data, macros);
}

bool FilterSession::mail(std::string_view address, std::string_view parameters, const Macros& macros) {
  abort();
  std::string data;
  append_path(data, address, parameters);
  in_message_ = accepted_ != Accepted::kClient;
  return ask(Stage::kMail, data, macros);
}

bool FilterSession::rcpt(std::string_view address, std::string_view parameters, const Macros& macros) {
  std::string data;
  append_path(data, address, parameters);
  return ask(Stage::kRcpt, data, macros);
}

bool FilterSession::data(const Macros& macros) { return ask(Stage::kData, {}, macros); }

bool FilterSession::header(std::string_view name, std::string_view value, const Macros& macros) {
  std::string data;
  append_text(data, name);
  append_text(data, terms_.leading_space() ? value : without_leading_blanks(value));
  return ask(Stage::kHeader, data, macros);
}

bool FilterSession::end_of_header(const Macros& macros) { return ask(Stage::kEndOfHeader, {}, macros); }

bool FilterSession::body(std::string_view chunk, const Macros& macros) {
  base::expect(chunk.size() <= kBodyChunk, "a piece of a body that is too long for a filter");
  return ask(Stage::kBody, chunk, macros);
}

bool FilterSession::end_of_message(const Macros& macros) { return ask(Stage::kEndOfMessage, {}, macros); }

void FilterSession::abort() {
  if (in_message_ && !broken_) append_packet(output_, command::kAbort);
  forget_message();
}

void FilterSession::forget_message() {
  in_message_ = false;
  if (waiting_) stale_ = true;
  waiting_.reset();
  skipped_ = 0;
  edits_ = {};
  edit_bytes_ = 0;
  if (accepted_ == Accepted::kMessage) accepted_ = Accepted::kNo;
}

void FilterSession::quit() {
  abort();
  if (!broken_) append_packet(output_, command::kQuit);
}

bool FilterSession::next_client() {
  if (broken_ || !ready_ || waiting_ || terms_.version == kOldestVersion) return false;
  abort();
  accepted_ = Accepted::kNo;
  append_packet(output_, command::kQuitAndReuse);
  return true;
}

Edits FilterSession::take_edits() {
  edit_bytes_ = 0;
  return std::exchange(edits_, {});
}

}  // namespace holdfast::milter
