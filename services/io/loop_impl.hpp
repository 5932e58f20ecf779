// What the loop is made of, for the listeners of this folder that speak Asio themselves. It refuses
// to be included from any other folder.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <optional>

#include "services/io/loop.hpp"

namespace bramble::io {

struct Loop::Impl {
    boost::asio::io_context context{1};
    std::optional<boost::asio::signal_set> signals;
    std::function<void(int)> on_signal;
};

}  // namespace bramble::io
