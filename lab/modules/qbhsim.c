// SPDX-License-Identifier: GPL-2.0-only
/*
 * qbhsim: 802.1Qbh port profiles without the switch that knows them, and VF GUIDs without an InfiniBand HCA.
 * For tests alone.
 *
 *   shim=pfa,pfb   gives these PFs, whatever drives them, the two operations of a port profile. With a map, the
 *                  profile's VLAN is put on the VF by the PF's own driver, and is hidden from who asks about the VF:
 *                  on hardware it is the switch that has it.
 *   fake_vfs=N     makes qbh0 (Ethernet, port profiles) and qib0 (InfiniBand by its link type, GUIDs), with N VFs each
 *                  that exist nowhere else.
 *
 * Requests and answers are as enic has them (drivers/net/ethernet/cisco/enic/enic_main.c), VF GUIDs as IPoIB. Each
 * request is told in /sys/kernel/debug/qbhsim/log. All state is the RTNL's.
 */
#include <linux/debugfs.h>
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <net/netlink.h>

#define MOST_VFS 256

static char *shim[4], *map = "";
static int shims;
static uint fake_vfs, pending_ms, set_errno, get_errno;
static ushort response = PORT_PROFILE_RESPONSE_SUCCESS;
static bool strict = true, bare;

module_param_array(shim, charp, &shims, 0444);
MODULE_PARM_DESC(shim, "PFs that are there, by name");
module_param(map, charp, 0444);
MODULE_PARM_DESC(map, "PROFILE:VLAN,...; another profile is invalid (0x102); empty: each is welcome");
module_param(fake_vfs, uint, 0444);
MODULE_PARM_DESC(fake_vfs, "VFs of qbh0 and of qib0; 0: neither is made");
module_param(bare, bool, 0444);
MODULE_PARM_DESC(bare, "tell nothing of VFs but their port profiles, as enic does");
module_param(strict, bool, 0644);
MODULE_PARM_DESC(strict, "take 40, 16 and 16 octets and nothing else (enic since 6.10)");
module_param(response, ushort, 0644);
MODULE_PARM_DESC(response, "how associations from now on end (enum port_profile_response in if_link.h)");
module_param(pending_ms, uint, 0644);
MODULE_PARM_DESC(pending_ms, "how long associations from now on are in progress first");
module_param(set_errno, uint, 0644);
MODULE_PARM_DESC(set_errno, "refuse requests with it");
module_param(get_errno, uint, 0644);
MODULE_PARM_DESC(get_errno, "refuse to tell of port profiles with it");

/* An attribute of a request; len -1: it was not there. */
struct said {
	int len;
	u8 octets[PORT_PROFILE_MAX];
};

/* The last request for a VF that was taken; response 0: there was none. */
struct association {
	u8 request;
	u16 response, vlan;
	unsigned long over_at;
	struct said profile, instance, host;
};

struct pf {
	struct list_head list;
	struct net_device *dev;
	const struct net_device_ops *own;
	struct net_device_ops ops;	/* its own, and ours */
	struct association associations[MOST_VFS];
	u8 macs[MOST_VFS][ETH_ALEN];
	u64 guids[MOST_VFS][2];
	u8 link_states[MOST_VFS];
};

static LIST_HEAD(pfs);
static char told[SZ_64K];
static size_t told_size;

static struct pf *pf_of(const struct net_device *dev)
{
	return container_of(dev->netdev_ops, struct pf, ops);
}

static bool has_vf(const struct net_device *dev, int vf)
{
	return vf >= 0 && vf < min(dev_num_vf(dev->dev.parent), MOST_VFS);
}

static struct said heard(const struct nlattr *attribute)
{
	struct said said = { .len = attribute ? nla_len(attribute) : -1 };

	if (attribute)
		memcpy(said.octets, nla_data(attribute), min_t(int, said.len, sizeof(said.octets)));
	return said;
}

static void tell(const struct net_device *dev, int vf, const struct association *asked, int err)
{
	told_size += scnprintf(told + told_size, sizeof(told) - told_size,
			       "pf=%s vf=%d request=%u errno=%d profile=%d:%.40s instance=%d:%*phN host=%d:%*phN\n",
			       dev->name, vf, asked->request, -err, asked->profile.len, asked->profile.octets,
			       asked->instance.len, clamp(asked->instance.len, 0, PORT_UUID_MAX), asked->instance.octets,
			       asked->host.len, clamp(asked->host.len, 0, PORT_UUID_MAX), asked->host.octets);
}

static bool has_other_length(const struct said *said, int length)
{
	return said->len >= 0 && said->len != length;
}

static int refusal(const struct association *asked)
{
	if (asked->request == PORT_REQUEST_PREASSOCIATE || asked->request > PORT_REQUEST_DISASSOCIATE)
		return -EOPNOTSUPP;
	if (strict && (has_other_length(&asked->profile, PORT_PROFILE_MAX) ||
		       has_other_length(&asked->instance, PORT_UUID_MAX) ||
		       has_other_length(&asked->host, PORT_UUID_MAX)))
		return -EINVAL;
	return -(int)set_errno;
}

/* The VLAN that the map has for it; 0 without a map, -1 where it is not in the map. */
static int vlan_of(const struct said *profile)
{
	char name[PORT_PROFILE_MAX + 1] = "", known[PORT_PROFILE_MAX + 1];
	const char *at = map;
	int vlan, size;

	memcpy(name, profile->octets, sizeof(profile->octets));
	for (; sscanf(at, "%40[^:]:%d%n", known, &vlan, &size) == 2; at += at[size] ? size + 1 : size)
		if (!strcmp(known, name))
			return vlan;
	return *map ? -1 : 0;
}

static int put_vlan(struct pf *pf, int vf, u16 vlan)
{
	if (!*map || !pf->own->ndo_set_vf_vlan)
		return 0;
	return pf->own->ndo_set_vf_vlan(pf->dev, vf, vlan, 0, htons(ETH_P_8021Q));
}

static int set_port(struct net_device *dev, int vf, struct nlattr *port[])
{
	struct association asked = {
		.request = port[IFLA_PORT_REQUEST] ? nla_get_u8(port[IFLA_PORT_REQUEST]) : PORT_REQUEST_PREASSOCIATE,
		.response = PORT_PROFILE_RESPONSE_SUCCESS,
		.over_at = jiffies,
		.profile = heard(port[IFLA_PORT_PROFILE]),
		.instance = heard(port[IFLA_PORT_INSTANCE_UUID]),
		.host = heard(port[IFLA_PORT_HOST_UUID]),
	};
	int err = has_vf(dev, vf) ? refusal(&asked) : -EINVAL;

	if (asked.request != PORT_REQUEST_DISASSOCIATE) {
		int vlan = vlan_of(&asked.profile);

		asked.response = vlan < 0 ? PORT_PROFILE_RESPONSE_INVALID : response;
		asked.over_at += msecs_to_jiffies(pending_ms);
		asked.vlan = asked.response == PORT_PROFILE_RESPONSE_SUCCESS ? vlan : 0;
	}
	if (!err)
		err = put_vlan(pf_of(dev), vf, asked.vlan);
	if (!err)
		pf_of(dev)->associations[vf] = asked;
	tell(dev, vf, &asked, err);
	return err;
}

static int put(struct sk_buff *skb, int kind, const struct said *said, int length)
{
	return said->len < 0 ? 0 : nla_put(skb, kind, length, said->octets);
}

static int get_port(struct net_device *dev, int vf, struct sk_buff *skb)
{
	const struct association *last = &pf_of(dev)->associations[vf];
	u16 now = last->response;

	if (!has_vf(dev, vf) || !last->response)
		return -ENODATA;
	if (get_errno)
		return -(int)get_errno;
	if (time_before(jiffies, last->over_at))
		now = PORT_PROFILE_RESPONSE_INPROGRESS;
	/* The request is of two octets here; when it was made it was of one. */
	if (nla_put_u16(skb, IFLA_PORT_REQUEST, last->request) || nla_put_u16(skb, IFLA_PORT_RESPONSE, now) ||
	    put(skb, IFLA_PORT_PROFILE, &last->profile, PORT_PROFILE_MAX) ||
	    put(skb, IFLA_PORT_INSTANCE_UUID, &last->instance, PORT_UUID_MAX) ||
	    put(skb, IFLA_PORT_HOST_UUID, &last->host, PORT_UUID_MAX))
		return -EMSGSIZE;
	return 0;
}

static int get_config_but_vlan(struct net_device *dev, int vf, struct ifla_vf_info *info)
{
	int err = pf_of(dev)->own->ndo_get_vf_config(dev, vf, info);

	if (!err && has_vf(dev, vf) && pf_of(dev)->associations[vf].vlan)
		info->vlan = 0;
	return err;
}

static int begin(struct net_device *dev)
{
	struct pf *pf = kvzalloc(sizeof(*pf), GFP_KERNEL);

	if (!pf)
		return -ENOMEM;
	pf->dev = dev;
	pf->own = dev->netdev_ops;
	pf->ops = *pf->own;
	if (dev->type == ARPHRD_ETHER) {
		pf->ops.ndo_set_vf_port = set_port;
		pf->ops.ndo_get_vf_port = get_port;
		if (bare || pf->ops.ndo_get_vf_config)
			pf->ops.ndo_get_vf_config = bare ? NULL : get_config_but_vlan;
	}
	dev->netdev_ops = &pf->ops;
	list_add(&pf->list, &pfs);
	return 0;
}

static void end(struct pf *pf)
{
	pf->dev->netdev_ops = pf->own;
	list_del(&pf->list);
	synchronize_net();
	kvfree(pf);
}

static int on_event(struct notifier_block *block, unsigned long event, void *about)
{
	struct pf *pf, *next;

	list_for_each_entry_safe(pf, next, &pfs, list)
		if (event == NETDEV_UNREGISTER && pf->dev == netdev_notifier_info_to_dev(about))
			end(pf);
	return NOTIFY_DONE;
}

static struct notifier_block events = { .notifier_call = on_event };

static int shim_all(void)
{
	int i, err = 0;

	rtnl_lock();
	for (i = 0; i < shims && !err; i++) {
		struct net_device *dev = __dev_get_by_name(&init_net, shim[i]);

		err = dev && dev->dev.parent ? begin(dev) : -ENODEV;
	}
	rtnl_unlock();
	return err;
}

/* VFs that exist here alone. dev_num_vf() asks the bus of their PF's parent how many there are. */

static int count_fake_vfs(struct device *dev)
{
	return min(fake_vfs, MOST_VFS);
}

static void release_nothing(struct device *dev)
{
}

static const struct bus_type fake_bus = { .name = "qbhsim", .num_vf = count_fake_vfs };
static struct device fake_parent = { .bus = &fake_bus, .init_name = "qbhsim0", .release = release_nothing };

static netdev_tx_t drop(struct sk_buff *skb, struct net_device *dev)
{
	dev_kfree_skb(skb);
	return NETDEV_TX_OK;
}

static int set_mac(struct net_device *dev, int vf, u8 *mac)
{
	if (!has_vf(dev, vf))
		return -EINVAL;
	ether_addr_copy(pf_of(dev)->macs[vf], mac);
	return 0;
}

static int set_link_state(struct net_device *dev, int vf, int state)
{
	if (!has_vf(dev, vf))
		return -EINVAL;
	pf_of(dev)->link_states[vf] = state;
	return 0;
}

static int set_guid(struct net_device *dev, int vf, u64 guid, int kind)
{
	if (!has_vf(dev, vf))
		return -EINVAL;
	pf_of(dev)->guids[vf][kind == IFLA_VF_IB_PORT_GUID] = guid;
	return 0;
}

static int get_guid(struct net_device *dev, int vf, struct ifla_vf_guid *node, struct ifla_vf_guid *port)
{
	node->guid = pf_of(dev)->guids[vf][0];
	port->guid = pf_of(dev)->guids[vf][1];
	return 0;
}

/* IPoIB tells the PF's own address for each VF. */
static int get_config(struct net_device *dev, int vf, struct ifla_vf_info *info)
{
	info->vf = vf;
	info->linkstate = pf_of(dev)->link_states[vf];
	memcpy(info->mac, dev->type == ARPHRD_ETHER ? pf_of(dev)->macs[vf] : dev->dev_addr, dev->addr_len);
	return 0;
}

static const struct net_device_ops ethernet = {
	.ndo_start_xmit = drop, .ndo_get_vf_config = get_config, .ndo_set_vf_mac = set_mac,
};

static const struct net_device_ops infiniband = {
	.ndo_start_xmit = drop, .ndo_get_vf_config = get_config, .ndo_set_vf_link_state = set_link_state,
	.ndo_set_vf_guid = set_guid, .ndo_get_vf_guid = get_guid,
};

static void become_ethernet(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &ethernet;
}

static void become_infiniband(struct net_device *dev)
{
	dev->type = ARPHRD_INFINIBAND;
	dev->addr_len = 20;
	dev->mtu = 2044;
	dev->flags = IFF_NOARP;
	dev->netdev_ops = &infiniband;
}

static int make_fake(const char *name, void (*become)(struct net_device *))
{
	struct net_device *dev = alloc_netdev(0, name, NET_NAME_PREDICTABLE, become);
	u8 address[MAX_ADDR_LEN] = { 0x02, 0xfe };
	int err;

	if (!dev)
		return -ENOMEM;
	dev_addr_set(dev, address);
	SET_NETDEV_DEV(dev, &fake_parent);
	dev->needs_free_netdev = true;
	rtnl_lock();
	err = register_netdevice(dev);
	if (!err) {
		err = begin(dev);
		if (err)
			unregister_netdevice(dev);
	} else {
		free_netdev(dev);
	}
	rtnl_unlock();
	return err;
}

static void end_all(void)
{
	struct pf *pf, *next;

	rtnl_lock();
	list_for_each_entry_safe(pf, next, &pfs, list)
		if (pf->dev->dev.parent == &fake_parent)
			unregister_netdevice(pf->dev);	/* which ends it: see on_event */
		else
			end(pf);
	rtnl_unlock();
}

static ssize_t read_log(struct file *file, char __user *to, size_t size, loff_t *at)
{
	return simple_read_from_buffer(to, size, at, told, told_size);
}

static ssize_t clear_log(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	rtnl_lock();
	told_size = 0;
	rtnl_unlock();
	return size;
}

/* As a switch that starts anew: nothing is associated, and nobody is told. */
static ssize_t forget(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	struct pf *pf;
	int vf;

	rtnl_lock();
	list_for_each_entry(pf, &pfs, list)
		for (vf = 0; vf < MOST_VFS; vf++) {
			if (pf->associations[vf].vlan)
				put_vlan(pf, vf, 0);
			memset(&pf->associations[vf], 0, sizeof(pf->associations[vf]));
		}
	rtnl_unlock();
	return size;
}

static const struct file_operations log_file = { .owner = THIS_MODULE, .read = read_log, .write = clear_log };
static const struct file_operations forget_file = { .owner = THIS_MODULE, .write = forget };
static struct dentry *folder;

static void leave(void)
{
	debugfs_remove(folder);
	end_all();
	unregister_netdevice_notifier(&events);
	device_unregister(&fake_parent);
	bus_unregister(&fake_bus);
}

static int __init enter(void)
{
	int err = bus_register(&fake_bus);

	if (err)
		return err;
	err = device_register(&fake_parent);
	if (err) {
		put_device(&fake_parent);
		bus_unregister(&fake_bus);
		return err;
	}
	register_netdevice_notifier(&events);
	folder = debugfs_create_dir("qbhsim", NULL);
	debugfs_create_file("log", 0600, folder, NULL, &log_file);
	debugfs_create_file("forget", 0200, folder, NULL, &forget_file);
	err = shim_all();
	if (!err && fake_vfs)
		err = make_fake("qbh0", become_ethernet);
	if (!err && fake_vfs)
		err = make_fake("qib0", become_infiniband);
	if (err)
		leave();
	return err;
}

module_init(enter);
module_exit(leave);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("802.1Qbh port profiles and InfiniBand VF GUIDs, for tests");
