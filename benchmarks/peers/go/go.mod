// SPDX-License-Identifier: BSL-1.0
module peer_go

go 1.19
