"""Domains of e-mail that anybody can have: an address there shows no institution.

A domain covers what lies below it (`mail.yahoo.co.uk` by `yahoo.co.uk`). Gathered from the providers' own pages;
an operator adds to them and takes from them by `MEDTHECA_FREE_MAIL_DOMAINS`.
"""

from __future__ import annotations

from collections.abc import Iterable

_DOMAINS = """
126.com 139.com 163.com 189.cn 21cn.com aim.com alice.it aliyun.com aol.com aol.de arcor.de att.net bell.net
bellsouth.net bigpond.com bk.ru bluewin.ch blueyonder.co.uk bol.com.br btinternet.com caiway.nl chello.nl comcast.net
cox.net daum.net disroot.org duck.com earthlink.net email.com email.cz fastmail.com fastmail.fm foxmail.com free.fr
freemail.hu freenet.de gmail.com gmail.de gmx.at gmx.ch gmx.com gmx.de gmx.fr gmx.net gmx.us googlemail.com
guerrillamail.com hanmail.net hetnet.nl home.nl hotmail.be hotmail.ca hotmail.co.uk hotmail.com hotmail.com.br
hotmail.de hotmail.es hotmail.fr hotmail.it hotmail.nl hushmail.com icloud.com ig.com.br iinet.net.au inbox.com
inbox.ru interia.pl juno.com kakao.com kpnmail.nl laposte.net libero.it list.ru live.be live.ca live.co.uk live.com
live.com.au live.de live.fr live.it live.nl lycos.com mac.com mail.com mail.de mail.ee mail.ru mailbox.org
mailfence.com mailinator.com me.com msn.com naver.com neuf.fr o2.pl onet.pl online.de online.nl optonline.net
optusnet.com.au orange.fr outlook.at outlook.com outlook.de outlook.es outlook.fr outlook.it outlook.jp planet.nl
pm.me post.cz posteo.de posteo.net proton.me protonmail.ch protonmail.com qq.com quicknet.nl rambler.ru rediffmail.com
riseup.net rocketmail.com rogers.com runbox.com sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca sina.cn sina.com
sky.com skynet.be sohu.com startmail.com sympatico.ca t-online.de talktalk.net tele2.nl telenet.be telfort.nl
telus.net terra.com.br tin.it tiscali.co.uk tiscali.it tuta.com tuta.io tutanota.com tutanota.de uol.com.br upcmail.nl
verizon.net virgilio.it virginmedia.com vodafone.de vodafonethuis.nl wanadoo.fr wanadoo.nl web.de windstream.net wp.pl
xs4all.nl xtra.co.nz yahoo.ca yahoo.co.id yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.ar yahoo.com.au
yahoo.com.br yahoo.com.cn yahoo.com.mx yahoo.com.sg yahoo.de yahoo.es yahoo.fr yahoo.in yahoo.it yandex.com yandex.ru
yeah.net ymail.com yopmail.com ziggo.nl zoho.com zonnet.nl
"""
FREE_MAIL = frozenset(_DOMAINS.split())


def is_free_mail(email: str, *, changes: Iterable[str] = ()) -> bool:
    """Whether an address lies at a domain where anybody gets one; `changes` add domains, or with - take them away.

    >>> is_free_mail("bob@GMail.com"), is_free_mail("bob@radboudumc.nl"), is_free_mail("bob@mail.yahoo.co.uk")
    (True, False, True)
    >>> is_free_mail("bob@gmx.de", changes=["-gmx.de"]), is_free_mail("bob@x.shop.example", changes=["shop.example"])
    (False, True)
    """
    domain = email.rpartition("@")[2].lower().rstrip(".")
    known = set(FREE_MAIL)
    for change in changes:
        (known.discard if change.startswith("-") else known.add)(change.removeprefix("-"))
    labels = domain.split(".")
    return any(".".join(labels[start:]) in known for start in range(len(labels)))
