#include "tests/unit/filtering/fake_filter.h"

#include <algorithm>

#include <sys/socket.h>

#include "common/base/panic.h"

namespace holdfast::filtering::test {
namespace {

constexpr std::uint32_t kNoAnswerToBody = 0x80000;

std::string visible(std::string_view data) {
  std::string out(data);
  std::ranges::replace(out, '\0', '|');
  return out;
}

}  // namespace

std::string packet(char kind, std::string_view data) {
  std::string out;
  milter::append_packet(out, kind, data);
  return out;
}

std::string text(std::string_view words) {
  std::string out;
  milter::append_text(out, words);
  return out;
}

struct FakeFilter::Session : net::StreamHandler {
  explicit Session(FakeFilter& f) : filter(f) {}
  void on_data(std::string_view bytes) override {
    reader.receive(bytes);
    while (const auto packet = reader.next()) filter.take(*this, packet->kind, packet->data);
  }
  void on_end(std::string_view) override {}

  FakeFilter& filter;
  std::unique_ptr<net::Stream> stream;
  milter::PacketReader reader;
};

FakeFilter::FakeFilter(net::Loop& loop) : loop_(loop) {
  auto fd = net::listen_on(*net::SocketAddress::ip("127.0.0.1", 0));
  base::expect(fd.has_value(), "no port to listen on");
  sockaddr_storage raw{};
  socklen_t length = sizeof raw;
  ::getsockname(fd->get(), reinterpret_cast<sockaddr*>(&raw), &length);
  address_ = net::SocketAddress(reinterpret_cast<sockaddr*>(&raw), length);
  listener_ = std::make_unique<net::Listener>(loop, std::move(*fd), [this](base::UniqueFd client, const net::SocketAddress&) {
    ++connections;
    sessions_.push_back(std::make_unique<Session>(*this));
    sessions_.back()->stream = std::make_unique<net::Stream>(loop_, std::move(client), *sessions_.back());
  });
}

FakeFilter::~FakeFilter() = default;

void FakeFilter::cut() {
  listener_.reset();
  for (auto& session : sessions_) session->stream->close();
}

void FakeFilter::take(Session& session, char kind, std::string_view data) {
  if (kind == 'D') return macros.push_back(visible(data));
  stages += kind;
  if (kind == 'L') {
    const auto end = data.find('\0');
    headers.push_back(std::string(data.substr(0, end)) + ":" + visible(data.substr(end + 1, data.size() - end - 2)));
  }
  if (kind == 'B') body += data;
  if (std::string_view("CHMR").contains(kind)) told.push_back(visible(data));
  if (const auto said = answer ? answer(kind, data) : std::nullopt) return session.stream->write(*said);
  if (kind == 'O') {
    std::string terms;
    for (const std::uint32_t number : {6U, actions, steps}) milter::append_number(terms, number);
    session.stream->write(packet('O', terms));
    if (!reads) session.stream->pause_reading();
  } else if (!std::string_view("AQK").contains(kind) && !(kind == 'B' && (steps & kNoAnswerToBody) != 0)) {
    session.stream->write(packet('c'));
  }
}

}  // namespace holdfast::filtering::test
