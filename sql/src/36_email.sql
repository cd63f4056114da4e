-- Accounts by the domain of somebody's e-mail address.
CREATE TABLE pql.free_mail_domain (
  domain   text COLLATE "C" NOT NULL CHECK (domain ~ '^[a-z0-9-]+(\.[a-z0-9-]+)+$'),
  is_free  boolean NOT NULL DEFAULT true,
  builtin  boolean NOT NULL DEFAULT false,
  PRIMARY KEY (domain, builtin)
);
COMMENT ON TABLE pql.free_mail_domain IS 'E-mail domains that belong to nobody in particular, so that they form no account (pql.email_domain). Those that come with pql stay; add a row for another one, or one with is_free false for one that is a customer of yours.';
COMMENT ON COLUMN pql.free_mail_domain.domain IS 'The domain, in lower case.';
COMMENT ON COLUMN pql.free_mail_domain.is_free IS 'Whether it belongs to nobody in particular; false: it is a customer''s of yours after all.';
COMMENT ON COLUMN pql.free_mail_domain.builtin IS 'Comes with pql. A row of yours counts before it.';
INSERT INTO pql.free_mail_domain (domain, builtin) SELECT d, true FROM regexp_split_to_table($$
  gmail.com googlemail.com yahoo.com yahoo.co.uk yahoo.fr yahoo.de yahoo.it yahoo.es yahoo.ca yahoo.co.in yahoo.in yahoo.com.br
  yahoo.com.ar yahoo.com.mx yahoo.com.au yahoo.co.jp yahoo.co.id yahoo.com.sg yahoo.com.hk yahoo.com.tw yahoo.com.vn yahoo.com.ph
  yahoo.gr yahoo.se yahoo.no yahoo.dk yahoo.pl yahoo.ro yahoo.nl yahoo.be yahoo.at yahoo.ie ymail.com rocketmail.com myyahoo.com
  outlook.com outlook.fr outlook.de outlook.es outlook.it outlook.pt outlook.be outlook.dk outlook.ie outlook.jp outlook.kr outlook.sa
  outlook.cz outlook.hu outlook.at outlook.com.br outlook.com.ar outlook.com.au outlook.com.tr outlook.in outlook.co.id outlook.co.th
  hotmail.com hotmail.co.uk hotmail.fr hotmail.de hotmail.it hotmail.es hotmail.nl hotmail.be hotmail.ca hotmail.se hotmail.no
  hotmail.dk hotmail.fi hotmail.gr hotmail.co.jp hotmail.com.br hotmail.com.ar hotmail.com.tr hotmail.com.au hotmail.co.th hotmail.ch
  hotmail.at live.com live.co.uk live.fr live.de live.it live.nl live.be live.ca live.se live.no live.dk live.at live.ie live.jp
  live.cn live.in live.com.au live.com.mx live.com.ar live.com.pt msn.com passport.com windowslive.com icloud.com me.com mac.com
  aol.com aol.co.uk aol.de aol.fr aim.com love.com verizon.net att.net sbcglobal.net bellsouth.net ameritech.net pacbell.net
  swbell.net comcast.net xfinity.com cox.net charter.net spectrum.net optonline.net optimum.net earthlink.net mindspring.com juno.com
  netzero.net frontier.com frontiernet.net windstream.net centurylink.net centurytel.net q.com embarqmail.com roadrunner.com rr.com
  suddenlink.net tds.net proton.me protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tutamail.com tuta.io tuta.com
  keemail.me mailfence.com posteo.de posteo.net mailbox.org fastmail.com fastmail.fm hushmail.com hush.com runbox.com disroot.org
  riseup.net startmail.com ctemplar.com skiff.com hey.com duck.com gmx.com gmx.de gmx.net gmx.at gmx.ch gmx.fr gmx.us gmx.co.uk gmx.es
  web.de freenet.de t-online.de mail.de email.de arcor.de online.de vodafone.de kabelmail.de unitybox.de 1und1.de magenta.de mail.com
  email.com usa.com post.com europe.com consultant.com engineer.com cheerful.com inbox.com zoho.com zohomail.com zohomail.eu
  yandex.com yandex.ru yandex.ua yandex.by yandex.kz ya.ru mail.ru inbox.ru list.ru bk.ru internet.ru rambler.ru lenta.ru
  autorambler.ru ukr.net i.ua meta.ua bigmir.net tut.by orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr numericable.fr
  aliceadsl.fr club-internet.fr voila.fr noos.fr libero.it virgilio.it tiscali.it alice.it tin.it tim.it fastwebnet.it inwind.it
  iol.it email.it vodafone.it poste.it telefonica.net terra.es movistar.es ono.com btinternet.com btopenworld.com virginmedia.com
  virgin.net ntlworld.com blueyonder.co.uk sky.com talktalk.net tiscali.co.uk o2.co.uk plusnet.com plus.com zen.co.uk eircom.net
  telenet.be skynet.be proximus.be scarlet.be ziggo.nl kpnmail.nl kpnplanet.nl planet.nl hetnet.nl home.nl xs4all.nl upcmail.nl
  casema.nl chello.nl bluewin.ch sunrise.ch hispeed.ch aon.at chello.at a1.net telia.com bredband.net comhem.se spray.se online.no
  getmail.no broadpark.no jubii.dk ofir.dk mail.dk stofanet.dk kolumbus.fi luukku.com elisanet.fi wp.pl o2.pl onet.pl onet.eu
  interia.pl interia.eu gazeta.pl tlen.pl op.pl vp.pl poczta.onet.pl poczta.fm seznam.cz email.cz post.cz centrum.cz volny.cz atlas.cz
  azet.sk centrum.sk zoznam.sk post.sk freemail.hu citromail.hu t-online.hu indamail.hu abv.bg mail.bg dir.bg net.hr t-com.hr siol.net
  inet.hr mail.ee inbox.lv inbox.lt one.lt otenet.gr in.gr forthnet.gr sapo.pt mail.telepac.pt iol.pt netcabo.pt clix.pt mynet.com
  ttmail.com superonline.com walla.co.il walla.com netvision.net.il 012.net.il qq.com foxmail.com 163.com 126.com yeah.net sina.com
  sina.cn sohu.com 139.com 189.cn 21cn.com tom.com aliyun.com vip.qq.com vip.163.com naver.com daum.net hanmail.net nate.com kakao.com
  docomo.ne.jp ezweb.ne.jp softbank.ne.jp i.softbank.jp nifty.com ocn.ne.jp so-net.ne.jp biglobe.ne.jp plala.or.jp infoseek.jp
  excite.co.jp hinet.net pchome.com.tw seed.net.tw netvigator.com singnet.com.sg pacific.net.sg rediffmail.com rediff.com
  indiatimes.com sify.com in.com vsnl.net bsnl.in airtelmail.in bigpond.com bigpond.net.au optusnet.com.au iinet.net.au tpg.com.au
  internode.on.net dodo.com.au westnet.com.au adam.com.au ozemail.com.au xtra.co.nz slingshot.co.nz orcon.net.nz clear.net.nz
  vodafone.co.nz rogers.com shaw.ca bell.net sympatico.ca telus.net videotron.ca cogeco.ca eastlink.ca nb.sympatico.ca mts.net
  sasktel.net uol.com.br bol.com.br terra.com.br ig.com.br globo.com globomail.com oi.com.br r7.com zipmail.com.br fibertel.com.ar
  arnet.com.ar speedy.com.ar ciudad.com.ar prodigy.net.mx telmex.com cantv.net une.net.co vtr.net entelchile.net webmail.co.za
  mweb.co.za telkomsa.net vodamail.co.za iafrica.com lantic.net emirates.net.ae maktoob.com mailinator.com guerrillamail.com
  sharklasers.com 10minutemail.com temp-mail.org tempmail.com throwawaymail.com yopmail.com trashmail.com getnada.com dispostable.com
  maildrop.cc mailnesia.com mintemail.com moakt.com fakeinbox.com spamgourmet.com mohmal.com emailondeck.com burnermail.io
  simplelogin.com anonaddy.com anonaddy.me relay.firefox.com mozmail.com privaterelay.appleid.com users.noreply.github.com
$$, '\s+') AS d WHERE d <> '';
SELECT pg_catalog.pg_extension_config_dump('pql.free_mail_domain', 'WHERE NOT builtin');

CREATE OR REPLACE FUNCTION pql.email_domain(address text) RETURNS text
  AS 'MODULE_PATHNAME', 'pql_email_domain' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.email_domain(text) IS
  'The domain of an e-mail address, in lower case; null for what is no address, and for domains that belong to nobody in particular (pql.free_mail_domain). For pql.attach(account_id => ''pql.email_domain(email)''). It changes only with that list, and then indexes on it are made anew.';

CREATE OR REPLACE FUNCTION pql._protect_free_mail() RETURNS trigger
  LANGUAGE plpgsql COST 5000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'rows of pql.free_mail_domain that come with pql can''t be changed' USING ERRCODE = 'object_not_in_prerequisite_state',
    HINT = 'Insert a row with is_free false, which counts before it.';
END $$;
COMMENT ON FUNCTION pql._protect_free_mail() IS 'Keeps what a dump would not have.';
REVOKE ALL ON FUNCTION pql._protect_free_mail() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._free_mail_changed() RETURNS trigger
  LANGUAGE plpgsql COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  stale regclass;
BEGIN
  FOR stale IN
    SELECT DISTINCT d.objid FROM pg_depend AS d JOIN pg_index AS i ON i.indexrelid = d.objid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_proc'::regclass AND d.refobjid = 'pql.email_domain(text)'::regprocedure
    ORDER BY 1
  LOOP
    EXECUTE format('REINDEX INDEX %s', stale);
  END LOOP;
  IF EXISTS (SELECT FROM pql.source AS s WHERE concat(s.user_id, s.account_id) ~ 'email_domain') THEN
    RAISE NOTICE 'past events may belong to other accounts now' USING HINT = 'CALL pql.rebuild() derives them again.';
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION pql._free_mail_changed() IS 'Makes indexes anew that depend on the list of free e-mail domains.';
REVOKE ALL ON FUNCTION pql._free_mail_changed() FROM PUBLIC;

CREATE TRIGGER protect BEFORE UPDATE OR DELETE ON pql.free_mail_domain
  FOR EACH ROW WHEN (old.builtin) EXECUTE FUNCTION pql._protect_free_mail();
CREATE TRIGGER protect_new BEFORE INSERT OR UPDATE ON pql.free_mail_domain
  FOR EACH ROW WHEN (new.builtin) EXECUTE FUNCTION pql._protect_free_mail();
CREATE TRIGGER protect_all BEFORE TRUNCATE ON pql.free_mail_domain
  FOR EACH STATEMENT EXECUTE FUNCTION pql._protect_free_mail();
-- in the order of their names: backends forget the list before it is used again
CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OR DELETE ON pql.free_mail_domain
  FOR EACH STATEMENT EXECUTE FUNCTION pql._definitions_changed();
CREATE TRIGGER free_mail_changed AFTER INSERT OR UPDATE OR DELETE ON pql.free_mail_domain
  FOR EACH STATEMENT EXECUTE FUNCTION pql._free_mail_changed();

CREATE TABLE pql.internal_domain (
  domain  text COLLATE "C" PRIMARY KEY CONSTRAINT domain_is_one CHECK (domain ~ '^[a-z0-9-]+(\.[a-z0-9-]+)+$'),
  kind    text NOT NULL CONSTRAINT kind_is_known CHECK (kind IN ('competitor', 'employee', 'partner')),
  note    text
);
COMMENT ON TABLE pql.internal_domain IS 'Domains of those whom sales doesn''t contact: competitors, the own company, partners. Routing rows of a user whose id is an address there, and of an account or user of an account whose id is such a domain (or one below it), are blocked, in every program.';
COMMENT ON COLUMN pql.internal_domain.note IS 'What you want to remember of it; null: nothing.';
COMMENT ON COLUMN pql.internal_domain.domain IS 'In lower case, as pql.email_domain gives it.';
COMMENT ON COLUMN pql.internal_domain.kind IS 'What blocks their rows: competitor''s domain, employee''s domain, partner''s domain.';
SELECT pg_catalog.pg_extension_config_dump('pql.internal_domain', '');

CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pql.internal_domain
  FOR EACH STATEMENT EXECUTE FUNCTION pql._definitions_changed();
